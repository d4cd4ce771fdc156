"""Whether a difference between two models that answered the same rows is real."""

from collections.abc import Sequence
from math import sqrt

from lorakit.stats import sign_test, wilson_interval

SURE = 0.05


def paired_difference(right: Sequence[tuple[bool, bool]]) -> dict[str, float]:
    """Compare (base is right, adapter is right) over rows: {mean, low, high, p_value}; raises ValueError without rows.

    `mean` is the adapter's share minus the base's; `low` and `high` are its 95% interval by Newcombe's paired score
    method (Statistics in Medicine 17, 1998, method 10), which unlike a bootstrap keeps its width where one share is 0
    or 1; `p_value` is the exact two-sided sign test's.
    """
    n = len(right)
    both, wins = right.count((True, True)), right.count((False, True))
    losses, neither = right.count((True, False)), right.count((False, False))
    of_adapter, of_base = wilson_interval(both + wins, n), wilson_interval(both + losses, n)
    adapter, base = (both + wins) / n, (both + losses) / n
    phi = _correlation(both, wins, losses, neither)
    mean = adapter - base
    return {
        "mean": mean,
        "low": max(mean - _distance(adapter - of_adapter.low, of_base.high - base, phi), -1.0),
        "high": min(mean + _distance(of_adapter.high - adapter, base - of_base.low, phi), 1.0),
        "p_value": sign_test(wins, losses)[1],
    }


def _correlation(both: int, wins: int, losses: int, neither: int) -> float:
    """Newcombe's phi: with a continuity correction where it is positive."""
    product = (both + wins) * (both + losses) * (losses + neither) * (wins + neither)
    if not product:
        return 0.0
    determinant: float = both * neither - wins * losses
    if determinant > 0:
        determinant = max(determinant - (both + wins + losses + neither) / 2, 0.0)
    return determinant / sqrt(product)


def _distance(first: float, second: float, phi: float) -> float:
    return sqrt(max(first * first - 2 * phi * first * second + second * second, 0.0))
