"""Usage of the active tenant. All figures come from hourly roll-ups, so any range is cheap to read."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Aggregate, BinaryField, Q, QuerySet, Sum, Value

from adapters.models import AdapterVersion
from metering.ledger.rollup import COUNTED, Sums, hour_of
from metering.ledger.sketches import quantiles
from metering.models import DailyUsage, HourlyTotal, HourlyUsage


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
    sums = sums_by_line(start, end, sketches=True)
    versions = _versions(key for _, key in sums)
    lines = [
        UsageLine(alias=alias, version_key=key, version=versions.get(key), figures=_figures(line))
        for (alias, key), line in sums.items()
    ]
    lines.sort(key=lambda line: (not line.alias, -line.figures.requests, line.label))
    totals = HourlyTotal.objects.filter(hour__gte=start, hour__lt=end).order_by("hour")
    total, hours = Sums(), []
    for hour, *counted, sketch in totals.values_list("hour", *COUNTED, "latency_sketch"):
        part = Sums(*counted)
        part.sketches.append(sketch)
        hours.append(_hour(hour, part))
        total.add(part)
    return UsageSummary(start=start, end=end, total=_figures(total), lines=lines, hours=hours)


def sums_by_line(start: dt.datetime, end: dt.datetime, *, sketches: bool = False) -> dict[tuple[str, str], Sums]:
    """What was used between two whole hours, by (alias, version key), added up by the database.

    Whole days are read from the daily roll-up, the hours before and after them from the hourly one. Without `sketches`
    the parts have none.
    """
    first, last = _midnight(start + dt.timedelta(hours=23)), _midnight(end)
    if first >= last:
        sources: list[QuerySet[Any]] = [HourlyUsage.objects.filter(hour__gte=start, hour__lt=end)]
    else:
        edges = Q(hour__gte=start, hour__lt=first) | Q(hour__gte=last, hour__lt=end)
        sources = [
            DailyUsage.objects.filter(day__gte=first.date(), day__lt=last.date()),
            HourlyUsage.objects.filter(edges),
        ]
    sums: dict[tuple[str, str], Sums] = defaultdict(Sums)
    for source in sources:
        grouped = source.order_by().values_list("alias", "version_key").annotate(*(Sum(name) for name in COUNTED))
        for alias, key, *counted, sketch in grouped.annotate(sketch=Joined() if sketches else Value(b"")):
            sums[alias, key].add(Sums(*counted))
            sums[alias, key].sketches.append(sketch)
    return sums


class Joined(Aggregate):
    """The latency sketches of all rows as one."""

    function = "STRING_AGG"
    output_field = BinaryField()

    def __init__(self) -> None:
        super().__init__("latency_sketch", Value(b""))


def _midnight(hour: dt.datetime) -> dt.datetime:
    return hour.replace(hour=0)


def _versions(keys: Iterable[str]) -> dict[str, AdapterVersion]:
    wanted = {key for key in keys if key}
    rows = AdapterVersion.objects.filter(id__in=wanted).select_related("adapter").defer("manifest", "metrics")
    return {str(version.id): version for version in rows}


def _figures(part: Sums) -> Figures:
    p50, p95 = quantiles(b"".join(part.sketches), (0.5, 0.95))
    return Figures(
        requests=part.requests,
        errors=part.errors,
        prompt_tokens=part.prompt_tokens,
        completion_tokens=part.completion_tokens,
        busy_ms=part.busy_ms,
        p50_ms=p50,
        p95_ms=p95,
    )


def _hour(hour: dt.datetime, part: Sums) -> HourFigures:
    figures = _figures(part)
    return HourFigures(
        hour=hour,
        requests=figures.requests,
        errors=figures.errors,
        p50_ms=figures.p50_ms,
        p95_ms=figures.p95_ms,
    )
