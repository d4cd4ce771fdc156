"""Quantiles of the beta and t distributions, without scipy, whose 100 MB these would be the only use of."""

from functools import lru_cache
from math import exp, lgamma, log, log1p, sqrt

TINY = 1e-300
STEPS = 100_000


def beta_share(x: float, a: float, b: float) -> float:
    """Share of the beta distribution below `x`: the regularised incomplete beta function, to about 1e-12."""
    if x <= 0 or x >= 1:
        return float(x >= 1)
    # The continued fraction converges quickly on this side of the mean only.
    if x > (a + 1) / (a + b + 2):
        return 1.0 - _below(1.0 - x, b, a)
    return _below(x, a, b)


def _below(x: float, a: float, b: float) -> float:
    front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log1p(-x)) / a
    return front * _fraction(x, a, b)


def _fraction(x: float, a: float, b: float) -> float:
    """DLMF 8.17.22 by Lentz's method."""
    c, d = 1.0, 1.0 / (1.0 - (a + b) * x / (a + 1) or TINY)
    product = d
    for m in range(1, STEPS):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        for term in (even, odd):
            d = 1.0 / (1.0 + term * d or TINY)
            c = 1.0 + term / c or TINY
            product *= c * d
        if abs(c * d - 1.0) < 1e-15:
            return product
    return product


@lru_cache(maxsize=10_000)
def beta_quantile(share: float, a: float, b: float) -> float:
    """The point below which `share` of the beta distribution lies."""
    low, high = 0.0, 1.0
    for _ in range(100):
        middle = (low + high) / 2
        if beta_share(middle, a, b) < share:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def t_quantile(share: float, degrees: int) -> float:
    """The point below which `share`, at least a half, of Student's t distribution lies."""
    point = beta_quantile(2 * share - 1, 0.5, degrees / 2)
    return sqrt(degrees * point / (1 - point))


def t_tails(t: float, degrees: int) -> float:
    """Share of the t distribution as far from 0 as `t`, on both sides."""
    return beta_share(degrees / (degrees + t * t), degrees / 2, 0.5)
