"""Several metrics of one model's answers at once."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from evaluations.metrics.base import Answers, Metric, RowMetric

Scores = dict[str, float | None]


@dataclass(frozen=True, kw_only=True)
class Suite:
    """The metrics that apply to some answers, and why the others do not; both by alias."""

    metrics: dict[str, Metric]
    unavailable: dict[str, str]

    def rows(self, answers: Answers) -> list[Scores]:
        """{alias: score} for each row, of the metrics that score rows."""
        columns = {
            alias: answers.by_row(metric.scores)
            for alias, metric in self.metrics.items()
            if isinstance(metric, RowMetric)
        }
        return [{alias: column[row] for alias, column in columns.items()} for row in range(len(answers))]

    def values(self, answers: Answers) -> Scores:
        """{alias: figure of the whole set}"""
        return {alias: metric.value(answers) for alias, metric in self.metrics.items()}

    def details(self, answers: Answers) -> dict[str, dict[str, Any]]:
        """{alias: what a page shows beside the figure} of those that have something to show."""
        found = {alias: metric.details(answers) for alias, metric in self.metrics.items()}
        return {alias: details for alias, details in found.items() if details}


def choose(metrics: Mapping[str, Metric], answers: Answers, *, chosen: Collection[str] | None = None) -> Suite:
    """The chosen metrics, by default all, split by whether they apply. Raises KeyError for an alias that is unknown."""
    aliases = [alias for alias in metrics if alias in chosen] if chosen is not None else list(metrics)
    unknown = sorted(set(chosen or ()) - set(metrics))
    if unknown:
        raise KeyError(", ".join(unknown))
    reasons = {alias: metrics[alias].unavailable(answers) for alias in aliases}
    return Suite(
        metrics={alias: metrics[alias] for alias, reason in reasons.items() if not reason},
        unavailable={alias: reason for alias, reason in reasons.items() if reason},
    )
