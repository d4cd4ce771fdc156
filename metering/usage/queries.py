"""Usage of the active tenant. All figures come from hourly roll-ups, so any range is cheap to read."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, overload

from django.db.models import Q, QuerySet, Sum

from adapters.models import AdapterVersion
from metering.ledger.rollup import COUNTED, Sums, hour_of
from metering.ledger.sketches import quantiles
from metering.models import DailyUsage, HourlyTotal, HourlyUsage

LineKey = tuple[str, str]
"""The alias and the version key of a line."""


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
    """Usage of one alias and version. `number` is the version's, None for a base model or a deleted version."""

    alias: str
    version_key: str
    number: int | None
    figures: Figures

    @property
    def label(self) -> str:
        """`legal v2`, the base model's name, or "Unknown models" for requests to a name that does not exist."""
        if not self.alias:
            return "Unknown models"
        return self.alias if self.number is None else f"{self.alias} v{self.number}"


@dataclass(frozen=True, kw_only=True)
class HourFigures:
    """One hour of all aliases together."""

    hour: dt.datetime
    requests: int
    errors: int
    p50_ms: float | None
    p95_ms: float | None


class UsageLines(Sequence[UsageLine]):
    """Usage of each alias and version, the busiest first. What is taken from it is read then, with its latencies."""

    def __init__(self, start: dt.datetime, end: dt.datetime) -> None:
        self._sources = _roll_ups(start, end)
        self.sums = _sums(self._sources)
        self._numbers = _numbers(self.sums)
        self._keys = sorted(self.sums, key=self._place)

    def __len__(self) -> int:
        return len(self._keys)

    @overload
    def __getitem__(self, index: int) -> UsageLine: ...

    @overload
    def __getitem__(self, index: slice) -> list[UsageLine]: ...

    def __getitem__(self, index: int | slice) -> UsageLine | list[UsageLine]:
        if isinstance(index, int):
            return self[slice(index, index + 1 or None)][0]
        keys = self._keys[index]
        sketches = _sketches(self._sources, None if len(keys) == len(self) else keys)
        return [
            UsageLine(
                alias=alias,
                version_key=key,
                number=self._numbers.get(key),
                figures=_figures(self.sums[alias, key], sketches[alias, key]),
            )
            for alias, key in keys
        ]

    def _place(self, key: LineKey) -> tuple[bool, int, str, int]:
        alias, version_key = key
        return not alias, -self.sums[key].requests, alias, self._numbers.get(version_key, 0)


@dataclass(frozen=True, kw_only=True)
class UsageSummary:
    """Usage from `start` up to `end`, exclusive, both full hours (UTC)."""

    start: dt.datetime
    end: dt.datetime
    total: Figures
    lines: UsageLines
    totals: list[tuple[dt.datetime, Sums]] = field(default_factory=list)

    @cached_property
    def hours(self) -> list[HourFigures]:
        """Only hours with requests are included."""
        return [_hour(hour, part) for hour, part in self.totals]


def whole_hours(start: dt.datetime, end: dt.datetime) -> tuple[dt.datetime, dt.datetime]:
    """The range widened to whole hours."""
    first, last = hour_of(start), hour_of(end)
    return first, last if last == end else last + dt.timedelta(hours=1)


def usage_of(start: dt.datetime, end: dt.datetime) -> UsageSummary:
    """Usage of every whole hour that the range touches."""
    start, end = whole_hours(start, end)
    rows = HourlyTotal.objects.filter(hour__gte=start, hour__lt=end).order_by("hour")
    total, totals = Sums(), []
    for hour, *counted, sketch in rows.values_list("hour", *COUNTED, "latency_sketch"):
        part = Sums(*counted)
        part.sketches.append(sketch)
        totals.append((hour, part))
        total.add(part)
    lines = UsageLines(start, end)
    return UsageSummary(start=start, end=end, total=_figures(total, total.sketches), lines=lines, totals=totals)


def sums_by_line(start: dt.datetime, end: dt.datetime) -> dict[LineKey, Sums]:
    """What was used between two whole hours, by (alias, version key), added up by the database; without sketches."""
    return _sums(_roll_ups(start, end))


def _sums(sources: list[QuerySet[Any]]) -> dict[LineKey, Sums]:
    sums: dict[LineKey, Sums] = defaultdict(Sums)
    for source in sources:
        grouped = source.order_by().values_list("alias", "version_key").annotate(*(Sum(name) for name in COUNTED))
        for alias, key, *counted in grouped:
            sums[alias, key].add(Sums(*counted))
    return sums


def _sketches(sources: list[QuerySet[Any]], keys: Sequence[LineKey] | None) -> dict[LineKey, list[bytes]]:
    """The latency sketches of these lines, or of all.

    Row by row: to join them, the database would sort megabytes of sketches first.
    """
    sketches: dict[LineKey, list[bytes]] = defaultdict(list)
    wanted = Q()
    if keys is not None:
        # Perhaps of a few more lines, since alias and version are compared each by itself.
        wanted = Q(alias__in={alias for alias, _ in keys}, version_key__in={key for _, key in keys})
    for source in sources:
        rows = source.filter(wanted).order_by().values_list("alias", "version_key", "latency_sketch")
        for alias, key, sketch in rows:
            sketches[alias, key].append(sketch)
    return sketches


def _roll_ups(start: dt.datetime, end: dt.datetime) -> list[QuerySet[Any]]:
    """The daily roll-up of whole days, and the hourly one of the hours before and after them."""
    first, last = _midnight(start + dt.timedelta(hours=23)), _midnight(end)
    next_day = last + dt.timedelta(days=1)
    if first <= last and not HourlyTotal.objects.filter(hour__gte=end, hour__lt=next_day).exists():
        # Nothing has come after the range on its last day yet, usually today, so the day holds no more than its hours.
        last = next_day
    if first >= last:
        return [HourlyUsage.objects.filter(hour__gte=start, hour__lt=end)]
    edges = Q(hour__gte=start, hour__lt=first) | Q(hour__gte=last, hour__lt=end)
    return [DailyUsage.objects.filter(day__gte=first.date(), day__lt=last.date()), HourlyUsage.objects.filter(edges)]


def _midnight(hour: dt.datetime) -> dt.datetime:
    return hour.replace(hour=0)


def _numbers(keys: Iterable[LineKey]) -> dict[str, int]:
    """The version numbers by version key."""
    rows = AdapterVersion.objects.filter(id__in={key for _, key in keys if key}).values_list("id", "number")
    return {str(version_id): number for version_id, number in rows}


def _figures(part: Sums, sketches: Sequence[bytes]) -> Figures:
    p50, p95 = quantiles(b"".join(sketches), (0.5, 0.95))
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
    p50, p95 = quantiles(b"".join(part.sketches), (0.5, 0.95))
    return HourFigures(hour=hour, requests=part.requests, errors=part.errors, p50_ms=p50, p95_ms=p95)
