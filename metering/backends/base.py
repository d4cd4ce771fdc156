"""The contract of a usage source: what a cloud counted and measured of endpoints, by hour."""

import datetime as dt
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, ClassVar, Generic, TypeVar

from jobs.aliases import merge_options


@dataclass(frozen=True, kw_only=True)
class ObservedHour:
    """What was counted from `hour` (UTC) on for an hour, and latencies in milliseconds. None is no data, never 0.

    `errors_4xx` and `errors_5xx` are answers with such a status, `model_errors` those of either that the model's
    container gave. Latencies are of the model alone; `overhead_ms` is the cloud's own mean time on top.
    """

    hour: dt.datetime
    requests: int | None = None
    errors_4xx: int | None = None
    errors_5xx: int | None = None
    model_errors: int | None = None
    p50_ms: float | None = None
    p95_ms: float | None = None
    p99_ms: float | None = None
    mean_ms: float | None = None
    overhead_ms: float | None = None


@dataclass(frozen=True, kw_only=True)
class EndpointHour(ObservedHour):
    """The same of a whole endpoint, and how busy it was.

    First chunks and stream errors are of streamed answers, in milliseconds from the request on. `concurrency` is the
    most requests at a time on a copy, `no_capacity` how many found none. Shares are means in per cent. What the engine
    says of itself: time to the first token and between tokens in milliseconds, the highest use of its cache in per
    cent, the most requests that waited, and tokens.
    """

    first_chunk_p50_ms: float | None = None
    first_chunk_p95_ms: float | None = None
    stream_errors: int | None = None
    no_capacity: int | None = None
    concurrency: float | None = None
    cpu_percent: float | None = None
    memory_percent: float | None = None
    gpu_percent: float | None = None
    gpu_memory_percent: float | None = None
    disk_percent: float | None = None
    first_token_p50_ms: float | None = None
    first_token_p95_ms: float | None = None
    token_gap_p50_ms: float | None = None
    token_gap_p95_ms: float | None = None
    cache_percent: float | None = None
    waiting: float | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None


ENGINE_FIGURES = frozenset(
    {"first_token_p50_ms", "first_token_p95_ms", "token_gap_p50_ms", "token_gap_p95_ms", "cache_percent", "waiting",
     "prompt_tokens", "completion_tokens"}
)  # fmt: skip
"""What only the engine knows, and not every cloud passes on: a reading is complete without."""


def figures_of(kind: type[ObservedHour]) -> tuple[str, ...]:
    """The names of its figures."""
    return tuple(field.name for field in fields(kind) if field.name != "hour")


H = TypeVar("H", bound=ObservedHour)


@dataclass(frozen=True, kw_only=True)
class Reading(Generic[H]):
    """The hours of a range that have data, in order. `missing` names figures that could not be read this time."""

    hours: tuple[H, ...] = ()
    missing: frozenset[str] = frozenset()

    @property
    def is_complete(self) -> bool:
        """Whether an hour that is not there has no data."""
        return self.missing <= ENGINE_FIGURES


@dataclass(frozen=True, kw_only=True)
class Place:
    """An endpoint by its name in the cloud, and that of its base model's component."""

    endpoint: str
    base: str


class UsageSource(ABC):
    """One account and region of a cloud. Reads only, and may be asked the same any number of times.

    Options: ENDPOINTS names the aliases of ENDPOINTS that it watches; empty: all.
    """

    title: ClassVar[str]
    options: ClassVar[dict[str, Any]] = {"ENDPOINTS": ()}

    def __init__(self, alias: str, options: dict[str, Any]) -> None:
        self.alias = alias
        self._aliases = frozenset(merge_options("USAGE_SOURCES", alias, self.options, options)["ENDPOINTS"])

    def watches(self, backend: str) -> bool:
        """Whether endpoints of this alias of ENDPOINTS are in this account and region."""
        return not self._aliases or backend in self._aliases

    @abstractmethod
    def components(
        self, names: Sequence[str], start: dt.datetime, end: dt.datetime
    ) -> Mapping[str, Reading[ObservedHour]]:
        """What was counted of each component, by its name in the cloud, from `start` up to `end`, both full hours.

        A component of which nothing was ever published has no hours. Raises UsageSourceError.
        """

    @abstractmethod
    def endpoint(self, place: Place, start: dt.datetime, end: dt.datetime) -> Reading[EndpointHour]:
        """The same of an endpoint. Raises UsageSourceError."""
