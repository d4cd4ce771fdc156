"""Adds invocations to the hours and days they belong to."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from uuid import UUID

from metering.ledger.invocations import Row
from metering.ledger.sketches import merged, sketch_of
from metering.models import DailyUsage, HourlyTotal, HourlyUsage, RollUp

ERROR_STATUS = 400
ROWS_AT_ONCE = 2_000
COUNTED = ("requests", "errors", "prompt_tokens", "completion_tokens", "busy_ms")
"""What roll-ups add up, beside their sketches."""


class Line(NamedTuple):
    """An hour of one alias and version of a tenant; `version_key` is empty for a base model."""

    tenant_id: UUID
    hour: dt.datetime
    alias: str
    version_key: str


@dataclass
class Sums:
    """Sums of usage, such as are added to one row of a roll-up. The sketches hold answered requests’ latencies."""

    requests: int = 0
    errors: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    busy_ms: float = 0.0
    sketches: list[bytes] = field(default_factory=list)

    def add(self, other: "Sums") -> None:
        """Take in another part."""
        for name in COUNTED:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.sketches += other.sketches


def hour_of(moment: dt.datetime) -> dt.datetime:
    """The beginning of the hour (UTC)."""
    return moment.astimezone(dt.UTC).replace(minute=0, second=0, microsecond=0)


def sums_of(rows: Iterable[Row]) -> dict[Line, Sums]:
    """What invocations, whose times are in UTC, add to each hour. A refused request has no meaningful latency."""
    sums: dict[tuple[Any, ...], Sums] = defaultdict(Sums)
    latencies: dict[tuple[Any, ...], list[float]] = defaultdict(list)
    for row in rows:
        key = (row.tenant_id, row.at.replace(minute=0, second=0, microsecond=0), row.alias, row.version_id)
        part = sums[key]
        part.requests += 1
        part.prompt_tokens += row.prompt_tokens
        part.completion_tokens += row.completion_tokens
        part.busy_ms += row.busy_ms
        if row.status >= ERROR_STATUS:
            part.errors += 1
        else:
            latencies[key].append(row.latency_ms)
    for key, values in latencies.items():
        sums[key].sketches.append(sketch_of(values))
    return {
        Line(tenant_id, hour, alias, str(version_id or "")): part
        for (tenant_id, hour, alias, version_id), part in sums.items()
    }


def add_to_roll_ups(parts: Mapping[Line, Sums]) -> None:
    """Add each part to its hour, its day and its tenant's hour. The caller holds the collector's lock."""
    days: dict[tuple[Any, ...], Sums] = defaultdict(Sums)
    totals: dict[tuple[Any, ...], Sums] = defaultdict(Sums)
    for line, part in parts.items():
        days[line.tenant_id, line.hour.date(), line.alias, line.version_key].add(part)
        totals[line.tenant_id, line.hour].add(part)
    _add(HourlyUsage, parts)
    _add(DailyUsage, days)
    _add(HourlyTotal, totals)


def _add(model: type[RollUp], parts: Mapping[Any, Sums]) -> None:
    """Two statements for each `ROWS_AT_ONCE` rows."""
    keys = sorted(parts)
    for start in range(0, len(keys), ROWS_AT_ONCE):
        some = keys[start : start + ROWS_AT_ONCE]
        columns = zip(model.KEY, zip(*some, strict=True), strict=True)
        # Perhaps a few more rows than these keys', since each column is compared by itself.
        known = model.objects.filter(**{f"{name}__in": set(values) for name, values in columns})
        rows = {tuple(getattr(row, name) for name in model.KEY): row for row in known}
        changed = [_plus(rows.get(key) or model(**dict(zip(model.KEY, key, strict=True))), parts[key]) for key in some]
        model.objects.bulk_create(
            changed, update_conflicts=True, unique_fields=list(model.KEY), update_fields=[*COUNTED, "latency_sketch"]
        )


def _plus(row: RollUp, part: Sums) -> RollUp:
    for name in COUNTED:
        setattr(row, name, getattr(row, name) + getattr(part, name))
    row.latency_sketch = merged([row.latency_sketch, *part.sketches])
    return row
