"""Che's approximation against a simulated cache of least recent use."""

import math
import random
from collections import OrderedDict
from collections.abc import Sequence

import pytest

from lorakit.capacity.residency import (
    DAY_SECONDS,
    Tier,
    characteristic_seconds,
    hit_share,
    misses_a_day,
    tier_of,
)


def zipf(count: int, exponent: float, total: float) -> list[float]:
    weights = [1 / (place + 1) ** exponent for place in range(count)]
    return [total * weight / sum(weights) for weight in weights]


def simulated_misses(rates: Sequence[float], places: int, requests: int) -> float:
    """Share of requests that miss, after the cache has filled."""
    chooser, cache = random.Random(7), OrderedDict[int, None]()
    misses, warm_up = 0, requests // 10
    for number, asked in enumerate(chooser.choices(range(len(rates)), rates, k=requests + warm_up)):
        hit = asked in cache
        cache[asked] = None
        cache.move_to_end(asked)
        if len(cache) > places:
            cache.popitem(last=False)
        misses += not hit and number >= warm_up
    return misses / requests


@pytest.mark.parametrize("exponent", [0.6, 1.0, 1.4])
@pytest.mark.parametrize(("count", "places"), [(40, 16), (300, 16), (300, 128)])
def test_misses_are_those_of_a_simulated_cache(exponent: float, count: int, places: int) -> None:
    rates = zipf(count, exponent, total=2.0)
    seconds = characteristic_seconds(rates, places)
    expected = misses_a_day(rates, seconds) / (2.0 * DAY_SECONDS)
    assert simulated_misses(rates, places, 60_000) == pytest.approx(expected, rel=0.04, abs=0.002)


def test_the_places_are_filled_at_the_characteristic_time() -> None:
    rates = zipf(100, 1.0, total=5.0)
    seconds = characteristic_seconds(rates, 10)
    assert sum(hit_share(rate, seconds) for rate in rates) == pytest.approx(10, rel=1e-6)


def test_what_all_fits_is_never_missed() -> None:
    assert characteristic_seconds([1.0, 0.001, 0.0], 2) == math.inf
    assert misses_a_day([1.0, 0.001, 0.0], math.inf) == 0
    assert hit_share(0.0, math.inf) == 0.0


def test_without_places_everything_is_missed() -> None:
    assert characteristic_seconds([1.0, 2.0], 0) == 0.0
    assert misses_a_day([1.0, 2.0], 0.0) == pytest.approx(3 * DAY_SECONDS)


@pytest.mark.parametrize(
    ("rate", "tier"), [(1.0, Tier.HOT), (1 / 60, Tier.HOT), (1 / 61, Tier.WARM), (1 / 901, Tier.COLD), (0, Tier.COLD)]
)
def test_a_tier_is_the_time_between_requests(rate: float, tier: Tier) -> None:
    assert tier_of(rate, slot_seconds=60, host_seconds=900) is tier
