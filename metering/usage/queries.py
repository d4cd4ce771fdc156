"""Usage of the active tenant. All figures come from roll-ups, so any range is cheap to read."""

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property, reduce
from operator import itemgetter, or_
from typing import Any, overload

from django.contrib.postgres.aggregates import ArrayAgg
from django.db.models import BigIntegerField, Case, CharField, F, Func, Q, QuerySet, Sum, Value, When
from django.db.models.expressions import Combinable
from django.db.models.functions import Cast, Concat, Extract
from django.utils import timezone

from metering.models import By, Grain, HourlyUsage, RollUp, UsageTotal
from metering.usage.figures import Figures, figures_of
from metering.usage.names import Name, names_of
from metering.usage.ranges import begin_of, pieces, whole_hours

NAMED = (By.MODEL, By.VERSION)
"""Where no value stands for a model that does not exist."""
COLUMNS = (*RollUp.SUMS, *RollUp.SKETCHES)
PARTS: dict[By, Combinable] = {
    By.ALL: Value(""),
    By.MODEL: F("alias"),
    By.VERSION: Case(When(version_key="", then=F("alias")), default=Concat("alias", Value("/"), "version_key")),
    By.ENDPOINT: F("endpoint"),
    By.KEY: F("key"),
}
"""How the finest rows say what they are broken down by."""


@dataclass(frozen=True, kw_only=True)
class Slice:
    """A range of whole hours (UTC), `end` exclusive, of everything or of what has these values."""

    start: dt.datetime
    end: dt.datetime
    only: tuple[tuple[By, str], ...] = ()

    @classmethod
    def touching(cls, start: dt.datetime, end: dt.datetime, only: Collection[tuple[By, str]] = ()) -> "Slice":
        """Every whole hour that a range touches."""
        first, last = whole_hours(start, end)
        return cls(start=first, end=last, only=tuple(sorted(only)))

    @property
    def length(self) -> dt.timedelta:
        return self.end - self.start


@dataclass(frozen=True, kw_only=True)
class UsageLine:
    """Usage of one model, version, endpoint or key."""

    name: Name
    figures: Figures

    @property
    def label(self) -> str:
        return self.name.label


class UsageLines(Sequence[UsageLine]):
    """Usage broken down, the busiest first. What is taken from it is read then, with its latencies."""

    def __init__(self, wanted: Slice, by: By) -> None:
        self._rows = _rows(wanted, by)
        self._by = by
        requests = _requests(self._rows)
        # What is asked for without being there comes last.
        self.values = sorted(requests, key=lambda value: (by in NAMED and not value, -requests[value], value))

    def __len__(self) -> int:
        return len(self.values)

    @overload
    def __getitem__(self, index: int) -> UsageLine: ...

    @overload
    def __getitem__(self, index: slice) -> list[UsageLine]: ...

    def __getitem__(self, index: int | slice) -> UsageLine | list[UsageLine]:
        if isinstance(index, int):
            return self[slice(index, index + 1 or None)][0]
        values = self.values[index]
        if not values:
            return []
        figures = _figures(self._rows, self._by, None if len(values) == len(self) else values)
        return [UsageLine(name=name, figures=figures[name.value]) for name in names_of(self._by, values)]


@dataclass(frozen=True, kw_only=True)
class UsageSummary:
    """All usage of a slice, its lines, and what it was at a time."""

    slice: Slice
    by: By

    @cached_property
    def total(self) -> Figures:
        return _figures(_rows(self.slice, By.ALL), By.ALL).get("", Figures())

    @cached_property
    def lines(self) -> UsageLines:
        return UsageLines(self.slice, self.by)

    def series(self, grain: Grain) -> dict[dt.datetime, Figures]:
        """By hour, day or month (UTC), those with requests only, the earliest first."""
        found = _rows(self.slice, By.ALL, grain)
        read = sorted((row for rows in found for row in rows.values_list("at", *COLUMNS)), key=itemgetter(0))
        return figures_of([begin_of(grain, row[0]) for row in read], [row[1:] for row in read])

    def requests_of(self, grain: Grain, values: Collection[str]) -> dict[str, dict[dt.datetime, int]]:
        """The numbers of requests at the same times, of each of these values of what it is broken down by."""
        found: dict[str, dict[dt.datetime, int]] = {value: defaultdict(int) for value in values}
        # All parts have the same times.
        start_of = cache(lambda at: begin_of(grain, dt.datetime.fromtimestamp(at, dt.UTC)))
        for rows in _rows(self.slice, self.by, grain):
            # As two arrays of numbers: a row for each time would take several times as long to read.
            seconds = Cast(Extract("at", "epoch"), BigIntegerField())
            parts = _of(rows, self.by, values).values_list("part")
            arrays = parts.annotate(times=ArrayAgg(seconds), counts=ArrayAgg("requests"))
            for part, times, counts in arrays:
                sums = found[part]
                for at, requests in zip(times, counts, strict=True):
                    sums[start_of(at)] += requests
        return found


def usage_of(wanted: Slice, by: By = By.VERSION) -> UsageSummary:
    """Usage of a slice, read as it is asked for."""
    return UsageSummary(slice=wanted, by=by)


Rows = QuerySet[Any]
"""Rows of a roll-up, with what they are broken down by as `part`, and their time as `at`."""


def _rows(wanted: Slice, by: By, coarsest: Grain = Grain.MONTH) -> list[Rows]:
    """The rows that make up a slice. One dimension has roll-ups of its own; two at once need the finest rows."""
    only = dict(wanted.only)
    # A version says its model too.
    dimensions = {By.VERSION if one == By.MODEL else one for one in (*only, by)} - {By.ALL}
    if len(dimensions) > 1:
        return [_finest(only, by, Q(hour__gte=wanted.start, hour__lt=wanted.end))]
    dimension = next(iter(dimensions), By.ALL)
    hours, totals = [], []
    for grain, start, end in pieces(wanted.start, wanted.end, now=timezone.now(), coarsest=coarsest):
        if grain == Grain.HOUR and dimension == By.VERSION:
            hours.append(Q(hour__gte=start, hour__lt=end))
        else:
            totals.append(Q(grain=grain, start__gte=start, start__lt=end))
    found = [_totals(only, by, reduce(or_, totals) & Q(by=dimension))] if totals else []
    return [*found, _finest(only, by, reduce(or_, hours))] if hours else found


def _totals(only: Mapping[By, str], by: By, times: Q) -> Rows:
    rows = UsageTotal.objects.filter(times)
    for name, value in only.items():
        if name == By.MODEL:
            # Whatever begins with the model and a stroke, which a nought comes after.
            rows = rows.filter(Q(value=value) | Q(value__gte=f"{value}/", value__lt=f"{value}0"))
        else:
            rows = rows.filter(value=value)
    model = Func(F("value"), Value("/"), Value(1), function="split_part", output_field=CharField())
    part = {By.ALL: Value(""), By.MODEL: model}.get(by, F("value"))
    return rows.annotate(part=part, at=F("start")).order_by()


def _finest(only: Mapping[By, str], by: By, times: Q) -> Rows:
    rows = HourlyUsage.objects.filter(times).alias(**{f"of_{name.value}": PARTS[name] for name in only})
    rows = rows.filter(**{f"of_{name.value}": value for name, value in only.items()})
    if By.VERSION in only:
        # What an index begins with.
        rows = rows.filter(alias=only[By.VERSION].partition("/")[0])
    return rows.annotate(part=PARTS[by], at=F("hour")).order_by()


def _requests(found: Iterable[Rows]) -> dict[str, int]:
    """The number of requests of each part, added up by the database."""
    sums: dict[str, int] = defaultdict(int)
    for rows in found:
        for part, requests in rows.values_list("part").annotate(Sum("requests")):
            sums[part] += requests
    return sums


def _figures(found: Iterable[Rows], by: By, values: Collection[str] | None = None) -> dict[str, Figures]:
    """The figures of these parts, or of all."""
    read = [row for rows in found for row in _of(rows, by, values).values_list("part", *COLUMNS)]
    return figures_of([row[0] for row in read], [row[1:] for row in read])


def _of(rows: Rows, by: By, values: Collection[str] | None) -> Rows:
    if values is None:
        return rows
    if by == By.VERSION and rows.model is HourlyUsage:
        # What an index begins with.
        rows = rows.filter(alias__in={value.partition("/")[0] for value in values})
    return rows.filter(part__in=values)
