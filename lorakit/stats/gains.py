"""What each review adds to the evidence, for the kinds of verdict that a decision can rest on.

Verdicts lie on a scale `low` to `high` and are held against a `threshold` in it: passes are 1 and fails 0 against the
share that must pass; wins, ties and losses are 1, 0 and -1 against 0; grades are 1 to 5 against the mean that is
needed; differences of two grades are -4 to 4 against 0.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from lorakit.stats.evidence import evidence


@dataclass(frozen=True)
class Gains:
    """One value a review, above 0 where it speaks for the candidate, with the greatest loss in either direction."""

    values: tuple[float, ...]
    risk_up: float
    risk_down: float

    @property
    def promote(self) -> float:
        """Evidence that the mean lies above the threshold."""
        return evidence(self.values, risk=self.risk_up)

    @property
    def decline(self) -> float:
        """Evidence that the mean lies below the threshold."""
        return evidence([-value for value in self.values], risk=self.risk_down)


def gains(verdicts: Sequence[float], *, threshold: float, low: float, high: float) -> Gains:
    """Raises ValueError for a threshold that is not inside the scale."""
    _check(threshold, low, high)
    return Gains(tuple(verdict - threshold for verdict in verdicts), threshold - low, high - threshold)


def weighted_gains(
    verdicts: Sequence[float],
    weights: Sequence[float],
    *,
    heaviest: float,
    threshold: float,
    low: float,
    high: float,
) -> Gains:
    """For rows drawn with unequal probabilities: a weight is the mean probability over the row's own.

    `heaviest` is the largest weight that any row has, reviewed or not. At 2 a decision takes half as many reviews
    again. Raises ValueError for a heavier one.
    """
    _check(threshold, low, high)
    if any(weight > heaviest for weight in weights):
        raise ValueError("a weight is larger than the largest")
    values = tuple(weight * (verdict - threshold) for verdict, weight in zip(verdicts, weights, strict=True))
    return Gains(values, heaviest * (threshold - low), heaviest * (high - threshold))


@dataclass(frozen=True)
class JudgedRows:
    """The judge's scores, mapped to the scale of verdicts, over all rows held out: what control by the judge needs."""

    mean: float
    lowest: float
    highest: float


def gains_with_judge(
    verdicts: Sequence[float],
    judged: Sequence[float],
    *,
    rows: JudgedRows,
    weight: float,
    threshold: float,
    low: float,
    high: float,
) -> Gains:
    """Each verdict less `weight` times how far the judge's score of its row lies from the judge's mean over all rows.

    Holds for a wrong judge too, though only a good one saves reviews, and for the rows held out: beyond them only where
    these are 1,000 or more. The map must come from earlier labels, and rows be drawn uniformly. Use a weight of 0.5 for
    a licensed judge whose scores correlate with verdicts at 0.4 or more, else 0. Raises ValueError for a score that is
    not in the range of `rows`.
    """
    _check(threshold, low, high)
    if any(not rows.lowest <= score <= rows.highest for score in judged):
        raise ValueError("a judge's score lies outside the range of all rows")
    values = tuple(
        verdict - threshold - weight * (score - rows.mean) for verdict, score in zip(verdicts, judged, strict=True)
    )
    return Gains(
        values,
        threshold - low + weight * (rows.highest - rows.mean),
        high - threshold + weight * (rows.mean - rows.lowest),
    )


def cluster_gains(
    sums: Sequence[float], sizes: Sequence[int], *, largest: int, threshold: float, low: float, high: float
) -> Gains:
    """For whole clusters, each once its last row is reviewed, in random order: its sum of verdicts and number of rows.

    `largest` is the size of the largest cluster, reviewed or not. One random row a cluster takes half the reviews.
    Raises ValueError for a larger one.
    """
    _check(threshold, low, high)
    if any(size > largest for size in sizes):
        raise ValueError("a cluster is larger than the largest")
    values = tuple((total - threshold * size) / largest for total, size in zip(sums, sizes, strict=True))
    return Gains(values, threshold - low, high - threshold)


def _check(threshold: float, low: float, high: float) -> None:
    if not low < threshold < high:
        raise ValueError("the threshold must lie inside the scale")
