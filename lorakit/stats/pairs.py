"""Two models that passed or failed the same rows."""

import math

from lorakit.stats.interval import Interval
from lorakit.stats.quantiles import beta_share
from lorakit.stats.shares import wilson_interval


def sign_test(wins: int, losses: int) -> tuple[float, float]:
    """Exact p-values of the sign test: one-sided (for more wins) and two-sided. Ties are excluded."""

    def upper(count: int) -> float:
        # The tail of a binomial distribution, which stays quick for thousands of pairs.
        return beta_share(0.5, count, wins + losses - count + 1) if count else 1.0

    return upper(wins), min(1.0, 2 * upper(max(wins, losses)))


def newcombe_interval(both: int, wins: int, losses: int, neither: int) -> Interval:
    """Of the second model's share minus the first's; `wins` are the rows that only the second passed.

    Newcombe's paired score method (Statistics in Medicine 17, 1998, method 10), which unlike a bootstrap keeps its
    width where a share is 0 or 1. Raises ValueError without rows.
    """
    n = both + wins + losses + neither
    of_second, of_first = wilson_interval(both + wins, n), wilson_interval(both + losses, n)
    second, first = (both + wins) / n, (both + losses) / n
    phi = _correlation(both, wins, losses, neither)
    mean = second - first
    return Interval(
        max(mean - _distance(second - of_second.low, of_first.high - first, phi), -1.0),
        min(mean + _distance(of_second.high - second, first - of_first.low, phi), 1.0),
    )


def _correlation(both: int, wins: int, losses: int, neither: int) -> float:
    """Newcombe's phi: with a continuity correction where it is positive."""
    product = (both + wins) * (both + losses) * (losses + neither) * (wins + neither)
    if not product:
        return 0.0
    determinant: float = both * neither - wins * losses
    if determinant > 0:
        determinant = max(determinant - (both + wins + losses + neither) / 2, 0.0)
    return determinant / math.sqrt(product)


def _distance(first: float, second: float, phi: float) -> float:
    return math.sqrt(max(first * first - 2 * phi * first * second + second * second, 0.0))
