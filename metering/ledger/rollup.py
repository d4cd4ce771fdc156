"""Adds invocations to the hour they belong to."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from uuid import UUID

from metering.ledger.sketches import dump_sketch, load_sketch, new_sketch
from metering.models import HourlyUsage, Invocation

ERROR_STATUS = 400


@dataclass(frozen=True, order=True)
class HourKey:
    """The key of one row of hourly usage."""

    tenant_id: UUID
    hour: dt.datetime
    alias: str
    version_key: str


@dataclass
class HourSum:
    """What a batch adds to one row."""

    requests: int = 0
    errors: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    busy_ms: float = 0.0
    latencies: list[float] = field(default_factory=list)

    def add(self, row: Invocation) -> None:
        """Count one invocation. A rejected request has no meaningful latency."""
        self.requests += 1
        self.prompt_tokens += row.prompt_tokens
        self.completion_tokens += row.completion_tokens
        self.busy_ms += row.busy_ms
        if row.status >= ERROR_STATUS:
            self.errors += 1
        else:
            self.latencies.append(row.latency_ms)


def hour_of(moment: dt.datetime) -> dt.datetime:
    """The beginning of the hour (UTC)."""
    return moment.astimezone(dt.UTC).replace(minute=0, second=0, microsecond=0)


def add_to_hours(rows: Iterable[Invocation]) -> None:
    """Add each invocation to its hour. The caller holds the collector's lock and a transaction."""
    sums: dict[HourKey, HourSum] = defaultdict(HourSum)
    for row in rows:
        key = HourKey(row.tenant_id, hour_of(row.at), row.alias, str(row.version_id or ""))
        sums[key].add(row)
    for key in sorted(sums):
        _add(key, sums[key])


def _add(key: HourKey, part: HourSum) -> None:
    usage, created = HourlyUsage.objects.get_or_create(
        tenant_id=key.tenant_id,
        hour=key.hour,
        alias=key.alias,
        version_key=key.version_key,
        defaults={
            "requests": part.requests,
            "errors": part.errors,
            "prompt_tokens": part.prompt_tokens,
            "completion_tokens": part.completion_tokens,
            "busy_ms": part.busy_ms,
            "latency_sketch": dump_sketch(new_sketch(part.latencies)),
        },
    )
    if created:
        return
    sketch = load_sketch(usage.latency_sketch)
    sketch.merge(new_sketch(part.latencies))
    usage.latency_sketch = dump_sketch(sketch)
    usage.requests += part.requests
    usage.errors += part.errors
    usage.prompt_tokens += part.prompt_tokens
    usage.completion_tokens += part.completion_tokens
    usage.busy_ms += part.busy_ms
    usage.save()
