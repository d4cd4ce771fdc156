"""Text metrics by alias: `metrics["rouge_l"]`."""

from evaluations.aliases import Aliases
from evaluations.metrics.base import Metric

metrics: Aliases[Metric] = Aliases("METRICS")
