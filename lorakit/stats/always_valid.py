"""Intervals that hold at every look, however often one looks."""

from collections import Counter
from collections.abc import Callable, Sequence
from math import lgamma, log, log1p

import numpy as np
import numpy.typing as npt

from lorakit.stats.evidence import DECISIVE, FRACTIONS, log_evidence
from lorakit.stats.gains import JudgedRows, gains_with_judge
from lorakit.stats.interval import Interval

STEPS = 60

BETS = np.array(FRACTIONS)[:, None]

Array = npt.NDArray[np.float64]


def betting_interval(verdicts: Sequence[float], *, low: float, high: float, enough: float = DECISIVE) -> Interval:
    """All thresholds that the evidence has neither passed nor failed: an interval of 90% for the mean of the verdicts.

    It agrees with the decision by `gains` at any threshold, where evidence of `enough` decides. For control by a judge
    give each verdict less `weight` times the score's distance from the mean over all rows, and widen the scale as
    `gains_with_judge` does its risks. Raises ValueError for a verdict off the scale.
    """
    if verdicts and not low <= min(verdicts) <= max(verdicts) <= high:
        raise ValueError("a verdict lies off the scale")
    width = high - low
    distinct, counts = np.unique((np.asarray(verdicts, dtype=float) - low) / width, return_counts=True)
    return Interval(
        low + width * _lowest(distinct, counts, enough), high - width * _lowest(1 - distinct, counts, enough)
    )


def betting_interval_with_judge(
    verdicts: Sequence[float],
    judged: Sequence[float],
    *,
    rows: JudgedRows,
    weight: float,
    low: float,
    high: float,
    enough: float = DECISIVE,
) -> Interval:
    """The same for `gains_with_judge`, clipped to the scale. Raises ValueError as that does."""
    counts = Counter(zip(verdicts, judged, strict=True))
    inside = (high - low) * 1e-9

    def undecided(threshold: float, promotes: bool) -> bool:
        found = gains_with_judge(
            [verdict for verdict, _ in counts],
            [score for _, score in counts],
            rows=rows,
            weight=weight,
            threshold=min(max(threshold, low + inside), high - inside),
            low=low,
            high=high,
        )
        sign, risk = (1, found.risk_up) if promotes else (-1, found.risk_down)
        logs = [
            sum(
                count * log1p(fraction * sign * gain / risk)
                for gain, count in zip(found.values, counts.values(), strict=True)
            )
            for fraction in FRACTIONS
        ]
        return log_evidence(logs) < log(enough)

    lowest = _boundary(lambda threshold: undecided(threshold, True), low, high)
    highest = low + high - _boundary(lambda threshold: undecided(low + high - threshold, False), low, high)
    return Interval(lowest, highest)


def _lowest(distinct: Array, counts: npt.NDArray[np.int_], enough: float) -> float:
    """The lowest mean, on a scale of 0 to 1, that the evidence does not yet exceed; of values and their numbers."""
    kept = 1 - BETS

    def undecided(mean: float) -> bool:
        logs = np.log(kept + BETS * (distinct / mean)) @ counts
        return log_evidence(logs.tolist()) < log(enough)

    # Evidence only falls as the mean rises; at the far end nothing has been exceeded.
    return _boundary(undecided, 0.0, 1.0)


def beta_binomial_interval(successes: int, trials: int, *, confidence: float = 0.95) -> Interval:
    """Of a share, by Robbins' beta-binomial mixture (1970), two-sided. Raises ValueError without trials.

    Needs more reviews than `betting_interval` to decide the same. Of uniform samples only.
    """
    if not 0 <= successes <= trials or trials < 1:
        raise ValueError("successes must lie between 0 and the number of trials, which must be at least 1")
    failures = trials - successes
    mixed = lgamma(successes + 1) + lgamma(failures + 1) - lgamma(trials + 2)
    limit = mixed + log(1 - confidence)

    def inside(share: float) -> bool:
        likelihood = (successes * log(share) if successes else 0.0) + (failures * log1p(-share) if failures else 0.0)
        return likelihood > limit

    middle = min(max(successes / trials, 1e-12), 1 - 1e-12)
    low = _boundary(inside, 0.0, middle) if successes else 0.0
    high = 1 - _boundary(lambda share: inside(1 - share), 0.0, 1 - middle) if failures else 1.0
    return Interval(low, high)


def _boundary(holds: Callable[[float], bool], low: float, high: float) -> float:
    """Where `holds`, false above `low` and true at `high`, turns."""
    for _ in range(STEPS):
        middle = (low + high) / 2
        if holds(middle):
            high = middle
        else:
            low = middle
    return high
