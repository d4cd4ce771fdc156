"""What a coefficient of agreement says, and its interval."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import fmean

from lorakit.stats.interval import Estimate, Interval, spread


@dataclass(frozen=True)
class Agreement:
    """A coefficient with what it was made of.

    `value`, at most 1, is None where the coefficient does not exist: where all ratings are equal, kappa and alpha
    divide by 0. Then show `raw`, the share of equal pairs of ratings. `observed` and `expected` are agreement by the
    weights, as found and by chance. `error` is the standard error over items; `items` those that count. `interval`, of
    95%, is None below two items.
    """

    name: str
    weights: str
    value: float | None
    raw: float | None
    observed: float | None
    expected: float | None
    error: float | None
    items: int
    interval: Interval | None


def missing(name: str, weights: str, raw: float | None, items: int) -> Agreement:
    """Where the coefficient does not exist."""
    return Agreement(name, weights, None, raw, None, None, None, items, None)


def with_interval(
    name: str,
    weights: str,
    *,
    value: float,
    raw: float | None,
    observed: float,
    expected: float,
    shares: Sequence[float],
) -> Agreement:
    """`shares` is what each item adds to the coefficient, to the first order: their mean is the coefficient's.

    The interval adds two pseudo-items, one with full agreement and one with none, then t with n - 1 degrees, as for
    means. Holds the truth in 94% or more of samples of 20 to 100 items, where t alone holds it in 57% to 96%: least
    where agreement is high or ratings are skewed. With weights other than "identity" it is wider than it needs to be.
    """
    n = len(shares)
    if n < 2:
        return Agreement(name, weights, value, raw, observed, expected, None, n, None)
    error = spread(list(shares), fmean(shares)) / sqrt(n * (n - 1))
    low = -expected / (1 - expected)
    padded = [*shares, low, 1.0]
    centre = fmean(padded)
    padded_error = spread(padded, centre) / sqrt((n + 1) * (n + 2))
    interval = Estimate(value, centre, padded_error, n - 1, min(low, -1.0), 1.0).interval()
    return Agreement(name, weights, value, raw, observed, expected, error, n, interval)
