"""Is a difference real: intervals and tests for shares and for paired scores."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np


@dataclass(frozen=True)
class Interval:
    """A confidence interval."""

    low: float
    high: float


@dataclass(frozen=True)
class PairedComparison:
    """Scores of two systems on the same items, second minus first.

    `interval` is of the mean difference; `p_value` is two-sided, of the sign test over the items that differ.
    """

    difference: float
    interval: Interval
    wins: int
    losses: int
    ties: int
    p_value: float

    @property
    def real(self) -> bool:
        """Whether interval and sign test both exclude that there is no difference, at 5 %."""
        return self.p_value < 0.05 and not self.interval.low <= 0.0 <= self.interval.high


def wilson_interval(successes: int, trials: int, *, confidence: float = 0.95) -> Interval:
    """Wilson's score interval of a share (Wilson 1927); raises ValueError without trials."""
    if not 0 <= successes <= trials or trials < 1:
        raise ValueError("successes must lie between 0 and the number of trials, which must be at least 1")
    z = NormalDist().inv_cdf(0.5 + confidence / 2)
    share = successes / trials
    centre = share + z * z / (2 * trials)
    spread = z * math.sqrt(share * (1 - share) / trials + z * z / (4 * trials * trials))
    scale = 1 + z * z / trials
    return Interval(max(0.0, (centre - spread) / scale), min(1.0, (centre + spread) / scale))


def sign_test(wins: int, losses: int) -> tuple[float, float]:
    """Exact p-values, one-sided (for more wins) and two-sided; ties are left out."""
    pairs = wins + losses

    def upper(count: int) -> float:
        return float(sum(math.comb(pairs, k) for k in range(count, pairs + 1)) / 2**pairs)

    return upper(wins), min(1.0, 2 * upper(max(wins, losses)))


def paired_bootstrap(
    differences: Sequence[float], *, confidence: float = 0.95, resamples: int = 10_000, seed: int = 0
) -> Interval:
    """Percentile bootstrap interval of the mean of paired differences; raises ValueError without any."""
    if not differences:
        raise ValueError("there are no differences")
    values = np.asarray(differences, dtype=float)
    rng = np.random.default_rng(seed)
    means = np.array([rng.choice(values, len(values)).mean() for _ in range(resamples)])
    tail = (1 - confidence) / 2
    return Interval(float(np.quantile(means, tail)), float(np.quantile(means, 1 - tail)))


def compare_paired(first: Sequence[float], second: Sequence[float], *, seed: int = 0) -> PairedComparison:
    """Compare two systems' scores on the same items, in the same order."""
    differences = [b - a for a, b in zip(first, second, strict=True)]
    interval = paired_bootstrap(differences, seed=seed)
    wins, losses = sum(d > 0 for d in differences), sum(d < 0 for d in differences)
    return PairedComparison(
        difference=sum(differences) / len(differences),
        interval=interval,
        wins=wins,
        losses=losses,
        ties=len(differences) - wins - losses,
        p_value=sign_test(wins, losses)[1],
    )
