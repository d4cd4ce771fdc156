"""Evidence that may be looked at after every review: e-values by betting.

A mixture of twenty bets on each gain (Waudby-Smith and Ramdas, 2024); for passes and fails it is Wald's sequential
test with a uniform prior. By Ville's inequality the evidence against a true null ever reaches 20 in at most 5% of
cases, however often one looks. That holds only for reviews in an order fixed beforehand, with one verdict a row and one
row a cluster, where threshold, weight and cap were fixed before the first review.
"""

from collections.abc import Iterable, Sequence
from math import exp, fsum, log, log1p

DECISIVE = 20.0
"""Evidence at which one decides: 5%."""

FRACTIONS = tuple((place - 0.5) / 20 for place in range(1, 21))
START = (0.0,) * len(FRACTIONS)

Logs = tuple[float, ...]


def add_gain(logs: Logs, gain: float, *, risk: float, times: int = 1) -> Logs:
    """The logarithms of the twenty bets' wealth after one more gain: what to store between reviews, from `START`.

    `times`: so many gains of the same size.

    Under the null gains have mean 0 or less and are never below -`risk`. Raises ValueError for one that is.
    """
    if risk <= 0 or gain < -risk - 1e-12:
        raise ValueError("a gain lies below what was said to be the greatest loss")
    return tuple(have + times * log1p(fraction * gain / risk) for have, fraction in zip(logs, FRACTIONS, strict=True))


def log_evidence(logs: Sequence[float]) -> float:
    """Natural logarithm of the mean wealth."""
    most = max(logs)
    return most + log(fsum(exp(each - most) for each in logs) / len(logs))


def evidence(gains: Iterable[float], *, risk: float) -> float:
    """E-value against the null that gains have mean 0 or less; from 20 on it is rejected.

    Raises ValueError as `add_gain` does.
    """
    logs = START
    for gain in gains:
        logs = add_gain(logs, gain, risk=risk)
    return exp(log_evidence(logs))
