"""Figures of usage: sums, and quantiles of latencies."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np

from metering.ledger.sketches import Bins
from metering.models import RollUp

MICROS = 1_000_000
LATENCIES = (0.5, 0.95, 0.99)
FIRST_TOKENS = (0.5, 0.95)


@dataclass(frozen=True, kw_only=True)
class Figures:
    """Usage of some time. Latencies are those of answered requests in milliseconds, None without any.

    `first_…_ms` are of streamed answers. Of the requests whose endpoint tells, `queue_ms` is the mean wait. Costs are
    those of endpoints, without `unpriced` requests.
    """

    requests: int = 0
    refused: int = 0
    limited: int = 0
    failed: int = 0
    disconnected: int = 0
    prompt_tokens: int = 0
    cached_tokens: int = 0
    completion_tokens: int = 0
    cold_starts: int = 0
    busy_us: int = 0
    queue_us: int = 0
    timed: int = 0
    unpriced: int = 0
    used_micros: int = 0
    idle_micros: int = 0
    p50_ms: float | None = None
    p95_ms: float | None = None
    p99_ms: float | None = None
    first_p50_ms: float | None = None
    first_p95_ms: float | None = None

    @property
    def errors(self) -> int:
        return self.refused + self.limited + self.failed + self.disconnected

    @property
    def answered(self) -> int:
        return self.requests - self.errors

    @property
    def tokens(self) -> int:
        return self.prompt_tokens + self.completion_tokens

    @property
    def error_share(self) -> float:
        return self.errors / self.requests if self.requests else 0.0

    @property
    def busy_ms(self) -> float:
        return self.busy_us / 1000

    @property
    def queue_ms(self) -> float | None:
        return self.queue_us / self.timed / 1000 if self.timed else None

    @property
    def used_cost(self) -> Decimal:
        return Decimal(self.used_micros) / MICROS

    @property
    def idle_cost(self) -> Decimal:
        return Decimal(self.idle_micros) / MICROS

    @property
    def cost(self) -> Decimal:
        """In US dollars."""
        return self.used_cost + self.idle_cost

    @property
    def model_ms(self) -> float | None:
        """The mean time that the endpoint worked on an answered request."""
        return self.busy_us / self.answered / 1000 if self.answered else None


def figures_of(keys: Sequence[Hashable], rows: Sequence[Sequence[Any]]) -> dict[Any, Figures]:
    """The figures of each key. A row holds the values of `RollUp.SUMS` and `RollUp.SKETCHES`, each with its key."""
    places: dict[Hashable, int] = {}
    groups = np.array([places.setdefault(key, len(places)) for key in keys], np.int64)
    if not rows:
        return {}
    *sums, latency, first = zip(*rows, strict=True)
    added = np.zeros((len(places), len(RollUp.SUMS)), np.int64)
    np.add.at(added, groups, np.array(sums, np.int64).T)
    counted = added.tolist()
    latencies = Bins.of_sketches(latency, groups).quantiles(len(places), LATENCIES)
    firsts = Bins.of_sketches(first, groups).quantiles(len(places), FIRST_TOKENS)
    found = {}
    for key, place in places.items():
        p50, p95, p99 = latencies[place]
        first_p50, first_p95 = firsts[place]
        found[key] = Figures(
            **dict(zip(RollUp.SUMS, counted[place], strict=True)),
            p50_ms=p50,
            p95_ms=p95,
            p99_ms=p99,
            first_p50_ms=first_p50,
            first_p95_ms=first_p95,
        )
    return found
