"""What the page of figures draws of each model, stored when its answers are scored, since it takes all of them."""

from collections.abc import Sequence
from typing import Any

from evaluations.metrics import metrics
from evaluations.metrics.base import Answers
from evaluations.metrics.calibration import reliability
from evaluations.metrics.suite import Scores

BINS = 20
CONFUSION = "classification_accuracy"
MOST_LABELS = 20
"""A larger matrix is not shown: nobody reads it."""


def shapes_of(answers: Answers, rows: Sequence[Scores]) -> dict[str, Any]:
    """{histograms, reliability, confusion} of one model's answers and their scores.

    `histograms` are {metric: rows in each of BINS equal parts of its scale}; `reliability` is [[rows, mean confidence,
    share right]] of the parts with rows; `confusion` is what the metric `classification_accuracy` says of labels,
    empty where answers are none or labels too many.
    """
    bins = [part for part in answers.shared(reliability) if part.rows]
    return {
        "histograms": {alias: _histogram(alias, rows) for alias in (rows[0] if rows else ())},
        "reliability": [[part.rows, part.confidence, part.accuracy] for part in bins],
        "confusion": labels_answered(answers),
    }


def labels_answered(answers: Answers) -> dict[str, Any]:
    """What is shown of labels; empty where there is nothing to show."""
    if CONFUSION not in metrics:
        return {}
    details = metrics[CONFUSION].details(answers)
    return details if details and len(details["labels"]) <= MOST_LABELS else {}


def _histogram(alias: str, rows: Sequence[Scores]) -> list[int]:
    low, high = metrics[alias].lowest, metrics[alias].highest
    counts = [0] * BINS
    for scores in rows:
        if (score := scores.get(alias)) is not None:
            counts[min(max(int((score - low) / (high - low) * BINS), 0), BINS - 1)] += 1
    return counts
