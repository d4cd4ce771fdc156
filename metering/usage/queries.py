"""Usage of the active tenant. All figures come from hourly roll-ups, so any range is cheap to read."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from adapters.models import AdapterVersion
from metering.ledger.rollup import hour_of
from metering.ledger.sketches import merged, quantile
from metering.models import HourlyUsage


@dataclass(frozen=True, kw_only=True)
class Figures:
    """Sums over hours. Latencies of answered requests in milliseconds, None without any."""

    requests: int = 0
    errors: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    busy_ms: float = 0.0
    p50_ms: float | None = None
    p95_ms: float | None = None

    @property
    def tokens(self) -> int:
        return self.prompt_tokens + self.completion_tokens

    @property
    def error_share(self) -> float:
        return self.errors / self.requests if self.requests else 0.0


@dataclass(frozen=True, kw_only=True)
class UsageLine:
    """Usage of one alias and version. `version` is None for a base model or a deleted version."""

    alias: str
    version_key: str
    version: AdapterVersion | None
    figures: Figures

    @property
    def label(self) -> str:
        """`legal v2`, the base model's name, or "Unknown models" for requests to a name that does not exist."""
        if not self.alias:
            return "Unknown models"
        if self.version is not None:
            return f"{self.alias} v{self.version.number}"
        return self.alias


@dataclass(frozen=True, kw_only=True)
class HourFigures:
    """One hour of all aliases together."""

    hour: dt.datetime
    requests: int
    errors: int
    p50_ms: float | None
    p95_ms: float | None


@dataclass(frozen=True, kw_only=True)
class UsageSummary:
    """Usage from `start` up to `end`, exclusive, both full hours (UTC). Only hours with requests are included."""

    start: dt.datetime
    end: dt.datetime
    total: Figures
    lines: list[UsageLine] = field(default_factory=list)
    hours: list[HourFigures] = field(default_factory=list)


def whole_hours(start: dt.datetime, end: dt.datetime) -> tuple[dt.datetime, dt.datetime]:
    """The range widened to whole hours."""
    first, last = hour_of(start), hour_of(end)
    return first, last if last == end else last + dt.timedelta(hours=1)


def usage_of(start: dt.datetime, end: dt.datetime) -> UsageSummary:
    """Usage of every whole hour that the range touches."""
    start, end = whole_hours(start, end)
    rows = list(HourlyUsage.objects.filter(hour__gte=start, hour__lt=end).order_by("hour"))
    by_line: dict[tuple[str, str], list[HourlyUsage]] = defaultdict(list)
    by_hour: dict[dt.datetime, list[HourlyUsage]] = defaultdict(list)
    for row in rows:
        by_line[row.alias, row.version_key].append(row)
        by_hour[row.hour].append(row)
    versions = _versions(key for _, key in by_line)
    lines = [
        UsageLine(alias=alias, version_key=key, version=versions.get(key), figures=_sum(part))
        for (alias, key), part in by_line.items()
    ]
    lines.sort(key=lambda line: (not line.alias, -line.figures.requests, line.label))
    return UsageSummary(
        start=start,
        end=end,
        total=_sum(rows),
        lines=lines,
        hours=[_hour(hour, part) for hour, part in by_hour.items()],
    )


def _versions(keys: Iterable[str]) -> dict[str, AdapterVersion]:
    wanted = {key for key in keys if key}
    rows = AdapterVersion.objects.filter(id__in=wanted).select_related("adapter").defer("manifest", "metrics")
    return {str(version.id): version for version in rows}


def _sum(rows: list[HourlyUsage]) -> Figures:
    sketch = merged([row.latency_sketch for row in rows])
    return Figures(
        requests=sum(row.requests for row in rows),
        errors=sum(row.errors for row in rows),
        prompt_tokens=sum(row.prompt_tokens for row in rows),
        completion_tokens=sum(row.completion_tokens for row in rows),
        busy_ms=sum(row.busy_ms for row in rows),
        p50_ms=quantile(sketch, 0.5),
        p95_ms=quantile(sketch, 0.95),
    )


def _hour(hour: dt.datetime, rows: list[HourlyUsage]) -> HourFigures:
    figures = _sum(rows)
    return HourFigures(
        hour=hour,
        requests=figures.requests,
        errors=figures.errors,
        p50_ms=figures.p50_ms,
        p95_ms=figures.p95_ms,
    )
