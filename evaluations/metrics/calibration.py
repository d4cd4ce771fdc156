"""Calibration: whether a model is right as often as it is confident.

The confidence of an answer is its probability, from the log-probabilities of its tokens. It is compared with
quasi-exact match, so it suits short answers: a long one has a tiny probability however good it is.
"""

from dataclasses import asdict, dataclass
from math import exp
from statistics import fmean
from typing import Any

from evaluations.metrics.base import Answers, SetMetric
from evaluations.metrics.exact import QuasiExactMatch

BINS = 10


@dataclass(frozen=True)
class Bin:
    """The rows with a confidence from `low` to below `high`; both shares are None without rows."""

    low: float
    high: float
    rows: int
    confidence: float | None
    accuracy: float | None


class CalibrationError(SetMetric):
    """Expected calibration error (Guo 2017) in ten bins of equal width."""

    name = "expected_calibration_error"
    title = "Calibration error"
    note = "How far the model's confidence is from how often it is right; 0 is perfect."
    higher_is_better = False

    def unavailable(self, answers: Answers) -> str:
        reason = super().unavailable(answers)
        if not reason and all(logprob is None for logprob in answers.logprobs):
            return "The model gave no log-probabilities with its answers."
        return reason

    def value(self, answers: Answers) -> float | None:
        return expected_error(answers.shared(reliability))

    def details(self, answers: Answers) -> dict[str, Any]:
        """{bins: [{low, high, rows, confidence, accuracy}]}"""
        return {"bins": [asdict(part) for part in answers.shared(reliability)]}


def reliability(answers: Answers) -> list[Bin]:
    """Confidence and accuracy by confidence, over the answers that have a log-probability."""
    right = QuasiExactMatch("quasi_exact_match", {}).scores(answers)
    members: list[list[tuple[float, float]]] = [[] for _ in range(BINS)]
    for logprob, score in zip(answers.logprobs, right, strict=True):
        if logprob is not None and score is not None:
            # Rounding on the server's side may give a little more than log 1.
            confidence = min(exp(min(logprob, 0.0)), 1.0)
            members[min(int(confidence * BINS), BINS - 1)].append((confidence, score))
    return [
        Bin(
            low=place / BINS,
            high=(place + 1) / BINS,
            rows=len(rows),
            confidence=fmean(confidence for confidence, _ in rows) if rows else None,
            accuracy=fmean(score for _, score in rows) if rows else None,
        )
        for place, rows in enumerate(members)
    ]


def expected_error(bins: list[Bin]) -> float | None:
    """Mean distance of confidence and accuracy, weighted by rows; None without rows."""
    rows = sum(part.rows for part in bins)
    if not rows:
        return None
    return sum(part.rows * abs((part.confidence or 0.0) - (part.accuracy or 0.0)) for part in bins) / rows
