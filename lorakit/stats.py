"""Statistics for comparisons: a confidence interval of a share, and a test for paired verdicts."""

import math
from dataclasses import dataclass
from statistics import NormalDist


@dataclass(frozen=True)
class Interval:
    """A confidence interval."""

    low: float
    high: float


def wilson_interval(successes: int, trials: int, *, confidence: float = 0.95) -> Interval:
    """Wilson's score interval of a share (Wilson 1927). Raises ValueError without trials."""
    if not 0 <= successes <= trials or trials < 1:
        raise ValueError("successes must lie between 0 and the number of trials, which must be at least 1")
    z = NormalDist().inv_cdf(0.5 + confidence / 2)
    share = successes / trials
    centre = share + z * z / (2 * trials)
    spread = z * math.sqrt(share * (1 - share) / trials + z * z / (4 * trials * trials))
    scale = 1 + z * z / trials
    return Interval(max(0.0, (centre - spread) / scale), min(1.0, (centre + spread) / scale))


def sign_test(wins: int, losses: int) -> tuple[float, float]:
    """Exact p-values of the sign test: one-sided (for more wins) and two-sided. Ties are excluded."""
    pairs = wins + losses

    def upper(count: int) -> float:
        return float(sum(math.comb(pairs, k) for k in range(count, pairs + 1)) / 2**pairs)

    return upper(wins), min(1.0, 2 * upper(max(wins, losses)))
