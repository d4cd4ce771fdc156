"""Which adapters stay in a cache of least recent use, by Che's approximation (Che, Tung and Wang, 2002).

An adapter is still there if it was asked within the characteristic time: the time in which as many different ones are
asked as there are places. Requests for each adapter are taken to come at random at its own rate. Fricker, Robert and
Roberts (2012) show why this is exact to within a few per cent.
"""

import math
from collections.abc import Iterable, Sequence
from enum import StrEnum

DAY_SECONDS = 86_400.0
STEPS = 100
"""Halvings of the range of the characteristic time; more than a float can tell apart."""


class Tier(StrEnum):
    """Where an adapter usually is when it is asked: in a slot, in the machine's memory, or on disk."""

    HOT = "hot"
    WARM = "warm"
    COLD = "cold"


def characteristic_seconds(rates: Sequence[float], places: int) -> float:
    """The characteristic time of a cache, for adapters asked `rates` times a second; infinite if all of them fit."""
    asked = [rate for rate in rates if rate > 0]
    if len(asked) <= places:
        return math.inf
    if places <= 0:
        return 0.0
    low, high = 0.0, 1.0 / min(asked)
    while _filled(asked, high) < places:
        high *= 2
    for _ in range(STEPS):
        middle = (low + high) / 2
        low, high = (middle, high) if _filled(asked, middle) < places else (low, middle)
    return high


def hit_share(rate: float, seconds: float) -> float:
    """Share of an adapter's requests that find it there."""
    return -math.expm1(-rate * seconds) if rate > 0 else 0.0


def misses_a_day(rates: Iterable[float], seconds: float) -> float:
    """Requests a day that have to wait until their adapter is loaded."""
    return DAY_SECONDS * sum(rate * (1.0 - hit_share(rate, seconds)) for rate in rates)


def tier_of(rate: float, *, slot_seconds: float, host_seconds: float) -> Tier:
    """By the mean time between two requests, against the characteristic times of slots and of the machine's memory."""
    if rate <= 0:
        return Tier.COLD
    between = 1.0 / rate
    if between <= slot_seconds:
        return Tier.HOT
    return Tier.WARM if between <= host_seconds else Tier.COLD


def _filled(rates: Iterable[float], seconds: float) -> float:
    return sum(-math.expm1(-rate * seconds) for rate in rates)
