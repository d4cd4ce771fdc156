"""Predicted waiting against a simulation of requests that share a batch."""

import heapq
import itertools
import math
import random
from collections.abc import Callable

import pytest

from lorakit.capacity.waiting import Batch, Load, load_of_busy, load_of_requests

OURS = Batch(width=32, gain=5.4)
MEAN_SECONDS = 0.2


def simulated(
    batch: Batch, rate: float, service: Callable[[random.Random], float], requests: int
) -> tuple[float, float, float]:
    """(mean seconds, 95th percentile, busy share) of requests that come at random and share the engine.

    Requests beyond the batch's width wait in line, which the prediction leaves out.
    """
    chooser = random.Random(3)
    arrival = chooser.expovariate(rate)
    now = done = busy = 0.0
    # All in the batch get the same service, so the next to end is the one whose end in service is first.
    running: list[tuple[float, int, float]] = []
    waiting: list[tuple[float, float]] = []
    numbers = itertools.count()
    times: list[float] = []
    while len(times) < requests:
        pace = batch.speed(len(running)) / len(running) if running else 0.0
        ends = now + (running[0][0] - done) / pace if running else math.inf
        upcoming = min(arrival, ends)
        done += pace * (upcoming - now)
        busy += (upcoming - now) * bool(running)
        now = upcoming
        if ends <= arrival:
            _, _, came = heapq.heappop(running)
            times.append(now - came)
            if waiting:
                came, work = waiting.pop(0)
                heapq.heappush(running, (done + work, next(numbers), came))
        else:
            work = service(chooser)
            if len(running) < batch.width:
                heapq.heappush(running, (done + work, next(numbers), now))
            else:
                waiting.append((now, work))
            arrival = now + chooser.expovariate(rate)
    times.sort()
    return sum(times) / len(times), times[int(0.95 * len(times))], busy / now


def exponential(chooser: random.Random) -> float:
    return chooser.expovariate(1 / MEAN_SECONDS)


def uniform(chooser: random.Random) -> float:
    return chooser.uniform(0, 2 * MEAN_SECONDS)


@pytest.mark.parametrize("service", [exponential, uniform])
@pytest.mark.parametrize("utilisation", [0.2, 0.6, 0.85])
def test_the_mean_and_the_busy_share_are_those_of_a_simulation(
    service: Callable[[random.Random], float], utilisation: float
) -> None:
    work = utilisation * OURS.fastest
    load = Load(OURS, work)
    mean, _, busy = simulated(OURS, work / MEAN_SECONDS, service, 40_000)
    assert mean == pytest.approx(MEAN_SECONDS * load.slowdown, rel=0.06)
    assert busy == pytest.approx(load.busy, abs=0.02)
    assert load_of_busy(OURS, busy).work == pytest.approx(work, rel=0.08)
    assert load_of_requests(OURS, work / MEAN_SECONDS * mean).work == pytest.approx(work, rel=0.05)


def test_the_95th_percentile_grows_as_predicted_when_load_is_added() -> None:
    before, after = Load(OURS, 0.4 * OURS.fastest), Load(OURS, 0.8 * OURS.fastest)
    _, p95_before, _ = simulated(OURS, before.work / MEAN_SECONDS, exponential, 40_000)
    _, p95_after, _ = simulated(OURS, after.work / MEAN_SECONDS, exponential, 40_000)
    predicted = p95_before * after.slowdown / before.slowdown
    assert p95_after == pytest.approx(predicted, rel=0.1)


def test_one_processor_is_the_known_formula() -> None:
    # A batch that is never faster: M/G/1-PS, whose slowdown is 1 / (1 - work).
    single = Batch(width=1, gain=2.0)
    for work in (0.1, 0.5, 0.9):
        assert Load(single, work).slowdown == pytest.approx(1 / (1 - work), rel=1e-6)
        assert Load(single, work).busy == pytest.approx(work, rel=1e-6)


def test_an_idle_engine_slows_nobody() -> None:
    assert Load(OURS, 0.0).slowdown == 1.0
    assert load_of_busy(OURS, 0.0).work == 0.0
    assert load_of_requests(OURS, 0.0).work == 0.0


def test_more_than_it_can_do_is_said_so() -> None:
    load = Load(OURS, OURS.fastest * 1.1)
    assert load.is_too_much
    assert load.utilisation == pytest.approx(1.1)
    assert load.slowdown == math.inf
    assert load.busy == 1.0


def test_a_batch_is_as_fast_as_was_measured() -> None:
    # Tokens a second with sixteen adapters at 1, 8 and 32 clients (docs/benchmarks.md): 307, 1,020 and 1,444.
    assert OURS.speed(1) == 1.0
    assert OURS.speed(8) == pytest.approx(1020 / 307, rel=0.06)
    assert OURS.speed(32) == pytest.approx(1444 / 307, rel=0.06)
    assert OURS.speed(64) == OURS.fastest
