"""Confidence intervals of a share."""

import math
from statistics import NormalDist

from lorakit.stats.interval import Interval
from lorakit.stats.quantiles import beta_quantile


def wilson_interval(successes: int, trials: int, *, confidence: float = 0.95) -> Interval:
    """Wilson's score interval of a share (Wilson 1927). Raises ValueError without trials."""
    _check(successes, trials)
    z = NormalDist().inv_cdf(0.5 + confidence / 2)
    share = successes / trials
    centre = share + z * z / (2 * trials)
    spread = z * math.sqrt(share * (1 - share) / trials + z * z / (4 * trials * trials))
    scale = 1 + z * z / trials
    return Interval(max(0.0, (centre - spread) / scale), min(1.0, (centre + spread) / scale))


def clopper_pearson_interval(successes: int, trials: int, *, confidence: float = 0.95) -> Interval:
    """The exact interval of a share (Clopper and Pearson 1934), never too narrow. Raises ValueError without trials."""
    _check(successes, trials)
    tail = (1 - confidence) / 2
    failures = trials - successes
    return Interval(
        beta_quantile(tail, successes, failures + 1) if successes else 0.0,
        beta_quantile(1 - tail, successes + 1, failures) if failures else 1.0,
    )


def newcombe_difference(successes: tuple[int, int], trials: tuple[int, int], *, confidence: float = 0.95) -> Interval:
    """The second share minus the first, of two independent samples (Newcombe 1998, method 10).

    Raises ValueError without trials.
    """
    first, second = (
        wilson_interval(some, of, confidence=confidence) for some, of in zip(successes, trials, strict=True)
    )
    p, q = (some / of for some, of in zip(successes, trials, strict=True))
    down = math.hypot(q - second.low, first.high - p)
    up = math.hypot(second.high - q, p - first.low)
    return Interval(q - p - down, q - p + up)


def _check(successes: int, trials: int) -> None:
    if not 0 <= successes <= trials or trials < 1:
        raise ValueError("successes must lie between 0 and the number of trials, which must be at least 1")
