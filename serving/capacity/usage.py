"""What was asked of an endpoint. The floor that meters registers how to find out; this floor knows no usage.

In an `AppConfig.ready`: `register(usage_of)`, where `usage_of` is a `Finder`. It reads the rows of all tenants.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol
from uuid import UUID


@dataclass(frozen=True, kw_only=True)
class HourOfUse:
    """An hour in which something was asked. `busy_seconds` are the endpoint's own, summed over the requests."""

    requests: int
    busy_seconds: float


@dataclass(frozen=True, kw_only=True)
class Usage:
    """`requests` by version, and hours and tokens of all of them together. `p95_ms` is None after too few answers."""

    requests: Mapping[UUID, int] = field(default_factory=dict)
    hours: Sequence[HourOfUse] = ()
    p95_ms: float | None = None
    input_tokens: int = 0
    output_tokens: int = 0


class Finder(Protocol):
    def __call__(self, versions: Mapping[UUID, UUID], *, base: str, start: dt.datetime, end: dt.datetime) -> Usage:
        """What was asked in the hours that begin from `start` up to `end`: of versions, which are given with their
        tenants, and, in `hours`, of the base by these tenants under its model ID."""


_finders: list[Finder] = []


def register(finder: Finder) -> None:
    """Ask `finder` for the usage of an endpoint."""
    if finder not in _finders:
        _finders.append(finder)


def usage_of(versions: Mapping[UUID, UUID], *, base: str, start: dt.datetime, end: dt.datetime) -> Usage:
    """What the registered finder says; nothing where no floor meters."""
    return _finders[-1](versions, base=base, start=start, end=end) if _finders and versions else Usage()
