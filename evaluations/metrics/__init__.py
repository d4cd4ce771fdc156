"""Metrics of answers by alias: `metrics["rouge_l"]`."""

from evaluations.metrics.base import Metric
from jobs.aliases import Aliases

metrics: Aliases[Metric] = Aliases("METRICS")
