"""What is unusual, at the limits and in a simulated quarter."""

import math
from dataclasses import replace

import numpy as np
import pytest

from metering.anomalies.detecting import Hour, chance_of_at_least, cost, errors, latency

USUAL = Hour(requests=400, errors=4, answered=396, p95_ms=800.0, micros=1_000_000)
PAST = [replace(USUAL, p95_ms=800.0 + week, micros=1_000_000 + week) for week in range(8)]
JUDGES = (latency, errors, cost)
TRIPLED = replace(USUAL, errors=40, p95_ms=2400.0, micros=3_000_000)


def high(hour: Hour, past: list[Hour] = PAST) -> list[bool | None]:
    """Latency, errors, cost; None where it cannot be told."""
    return [judged.is_high if (judged := judge(hour, past)) else None for judge in JUDGES]


def test_the_usual_is_not_high_and_three_times_is() -> None:
    assert high(USUAL) == [False, False, False]
    assert high(TRIPLED) == [True, True, True]


@pytest.mark.parametrize("requests", [0, 3, 19])
def test_few_requests_say_nothing(requests: int) -> None:
    hour = Hour(requests=requests, errors=requests, answered=0, p95_ms=9e9, micros=10**12)
    assert high(hour) == [None, None, None]


def test_few_answers_have_no_percentile() -> None:
    assert high(replace(TRIPLED, answered=49))[0] is None
    assert high(TRIPLED, [replace(one, answered=49) for one in PAST])[0] is None


@pytest.mark.parametrize(("weeks", "told"), [(0, False), (3, False), (4, True), (8, True)])
def test_four_weeks_are_needed(weeks: int, told: bool) -> None:
    assert [one is not None for one in high(TRIPLED, PAST[:weeks])] == [told, told, told]


def test_a_past_outage_hides_nothing() -> None:
    outage = replace(USUAL, errors=390, p95_ms=60_000.0, micros=50_000_000)
    assert high(TRIPLED, [outage, outage, *PAST[:6]]) == [True, True, True]


def test_trifles_are_not_told() -> None:
    quick = [replace(one, p95_ms=10.0, micros=100) for one in PAST]
    assert high(replace(TRIPLED, p95_ms=90.0, micros=90_000), quick)[0] is False
    assert high(replace(TRIPLED, p95_ms=90.0, micros=90_000), quick)[2] is False
    assert high(replace(USUAL, requests=20, errors=4))[1] is False
    assert high(replace(USUAL, errors=0), [replace(one, errors=0) for one in PAST])[1] is False


def test_what_varies_much_must_be_further_off() -> None:
    wild = [replace(one, p95_ms=800.0 * 2 ** (week - 3.5)) for week, one in enumerate(PAST)]
    assert high(replace(USUAL, p95_ms=1900.0), wild)[0] is False
    assert high(replace(USUAL, p95_ms=3 * 800.0), wild)[0] is True


def test_a_cost_that_is_not_known_says_nothing() -> None:
    assert high(replace(TRIPLED, micros=None))[2] is None
    assert high(TRIPLED, [replace(one, micros=None) for one in PAST])[2] is None


@pytest.mark.parametrize(
    ("errors_", "requests", "share"), [(5, 20, 0.01), (40, 400, 0.01), (400, 400, 0.5), (0, 9, 0.1)]
)
def test_the_chance_is_the_binomial_sum(errors_: int, requests: int, share: float) -> None:
    expected = sum(
        math.comb(requests, count) * share**count * (1 - share) ** (requests - count)
        for count in range(errors_, requests + 1)
    )
    assert chance_of_at_least(errors_, requests, share) == pytest.approx(expected, rel=1e-9)


@pytest.mark.slow
def test_a_quiet_quarter_has_few_false_alarms_and_a_tripling_is_found() -> None:
    randomly = np.random.default_rng(1)

    def hour(index: int, *, slower: float = 1.0, dearer: float = 1.0) -> Hour:
        day, at = index // 24 % 7, index % 24
        rate = 600 * (0.3 if day >= 5 else 1.0) * (0.15 + 0.85 * math.exp(-(((at - 14) / 5) ** 2)))
        requests = int(randomly.poisson(rate * randomly.lognormal(0, 0.15)))
        failed = int(randomly.binomial(requests, 0.01 * randomly.lognormal(0, 0.15)))
        latencies = np.sort(randomly.lognormal(math.log(600), 0.5, requests - failed)) * randomly.lognormal(0, 0.12)
        p95 = float(latencies[math.ceil(0.95 * len(latencies)) - 1]) * slower if len(latencies) else None
        micros = int(requests * 3000 * randomly.lognormal(0, 0.1) * dearer)
        return Hour(requests=requests, errors=failed, answered=requests - failed, p95_ms=p95, micros=micros)

    hours = [hour(index) for index in range(91 * 24)]
    pasts = {at: [hours[at - 168 * week] for week in range(1, 9) if at >= 168 * week] for at in range(672, len(hours))}
    alarms = sum(any(high(hours[at], past)) for at, past in pasts.items())
    assert alarms <= len(pasts) / 1000
    found = [high(hour(at, slower=3.0, dearer=3.0), past) for at, past in pasts.items() if 9 <= at % 24 < 18]
    for kind in (0, 2):
        told = [one[kind] for one in found if one[kind] is not None]
        assert told.count(True) >= 0.85 * len(told) > 300
