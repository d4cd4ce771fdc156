"""How much longer requests take on a busier engine.

The engine is a processor that all its requests share (M/G/PS) and that gets faster with each of them: a batch of n does
in one second what takes a single request speed(n) seconds. Such a queue does not depend on the distribution of service
times but for its mean (Cohen, 1979), so few figures describe it: the offered work a second, and the speed of a batch.
The time of a request is its own work times a slowdown E[N] / work, by Little's law, and its quantiles follow that
factor, exactly so in heavy traffic (Zwart and Boxma, 2000, for one processor).
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

GAIN = {"lorakit": 7.0, "vllm": 16.0}
"""How much faster an endless batch is than single requests. Our own engine's is measured (docs/capacity.md: 6.5 times
the tokens a second at 32 clients); vLLM's is assumed, for a batch that reads the same weights for all its rows."""

STEPS = 60
"""Halvings of the range in which a load is looked for."""


@dataclass(frozen=True, kw_only=True)
class Batch:
    """A batch of at most `width` requests, `gain` times as fast as single requests at best."""

    width: int
    gain: float

    def speed(self, requests: int) -> float:
        """How much faster than one request alone, with that many: a step costs a fixed part and one for each row."""
        rows = min(requests, self.width)
        return rows * self.gain / (self.gain - 1.0 + rows)

    @property
    def fastest(self) -> float:
        """The work a second above which the queue only grows."""
        return self.speed(self.width)


@dataclass(frozen=True)
class Load:
    """An engine offered `work`: seconds of single requests a second."""

    batch: Batch
    work: float

    @property
    def is_too_much(self) -> bool:
        return self.work >= self.batch.fastest

    @property
    def utilisation(self) -> float:
        """Share of the most that the engine can do; above 1 it falls behind."""
        return self.work / self.batch.fastest

    @property
    def slowdown(self) -> float:
        """How many times as long a request takes as alone; infinite where it is too much."""
        if self.work <= 0:
            return 1.0
        return float("inf") if self.is_too_much else self.requests / self.work

    @property
    def requests(self) -> float:
        """Requests in the engine, on average."""
        return self._stationary[1]

    @property
    def busy(self) -> float:
        """Share of the time in which there is any request."""
        return 1.0 if self.is_too_much else 1.0 - self._stationary[0]

    @cached_property
    def _stationary(self) -> tuple[float, float]:
        """(share of the time without requests, requests on average)."""
        if self.is_too_much:
            return 0.0, float("inf")
        weight, total, weighted, width = 1.0, 1.0, 0.0, self.batch.width
        for requests in range(1, width + 1):
            weight *= self.work / self.batch.speed(requests)
            total += weight
            weighted += requests * weight
        # Beyond the batch's width the speed stays, so what is left is a geometric series.
        ratio = self.work / self.batch.fastest
        total += weight * ratio / (1.0 - ratio)
        weighted += weight * (width * ratio / (1.0 - ratio) + ratio / (1.0 - ratio) ** 2)
        return 1.0 / total, weighted / total


def load_of_busy(batch: Batch, busy: float) -> Load:
    """The load under which an engine is busy that share of the time: what it reports of its own time."""
    return _found(batch, lambda load: load.busy, min(max(busy, 0.0), 1.0))


def load_of_requests(batch: Batch, requests: float) -> Load:
    """The load under which so many requests are in the engine on average: rate times latency."""
    return _found(batch, lambda load: load.requests, max(requests, 0.0))


def _found(batch: Batch, measure: Callable[[Load], float], wanted: float) -> Load:
    low, high = 0.0, batch.fastest * (1.0 - 1e-6)
    for _ in range(STEPS):
        middle = (low + high) / 2
        low, high = (middle, high) if measure(Load(batch, middle)) < wanted else (low, middle)
    return Load(batch, high if wanted > 0 else 0.0)
