"""What the usage page is asked to show: a range, a breakdown, and what it is of."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from urllib.parse import urlencode
from uuid import UUID

from django.utils.dateparse import parse_datetime

from metering.models import By, Grain
from metering.usage.names import Name, names_of
from metering.usage.periods import Period, periods
from metering.usage.queries import Slice

FILTERS = (By.MODEL, By.VERSION, By.ENDPOINT, By.KEY)
LONGEST_BY_HOUR = dt.timedelta(days=32)
LONGEST_VALUE = 120
LONGEST = dt.timedelta(days=400)
EARLIEST, LATEST = dt.datetime(2000, 1, 1, tzinfo=dt.UTC), dt.datetime(2900, 1, 1, tzinfo=dt.UTC)


@dataclass(frozen=True, kw_only=True)
class Filter:
    """Something that usage is narrowed to, and the address without it."""

    name: Name
    without: str


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """A period, what it is broken down by, and what it is of; `compares` it with the time before."""

    period: Period
    by: By = By.VERSION
    only: tuple[tuple[By, str], ...] = ()
    compares: bool = False

    @property
    def slice(self) -> Slice:
        return Slice.touching(self.period.start, self.period.end, self.only)

    @property
    def before(self) -> Slice:
        """As long a time, right before."""
        now = self.slice
        return Slice(start=now.start - now.length, end=now.start, only=now.only)

    @property
    def filters(self) -> list[Filter]:
        """What it is of, for people."""
        return [
            Filter(
                name=names_of(by, [value])[0],
                without=replace(self, only=tuple(p for p in self.only if p[0] != by)).query,
            )
            for by, value in self.only
        ]

    @cached_property
    def query(self) -> str:
        """The query of the page's address."""
        return self._query()

    def narrowed(self, by: By, value: str) -> str:
        """The query of the same, of one value only; broken down by versions, unless that is what it is."""
        only = dict(self.only) | {by: value}
        finer = By.KEY if by == By.VERSION else By.VERSION
        return replace(self, only=tuple(sorted(only.items())), by=finer if by == self.by else self.by)._query()

    def with_by(self, by: By) -> str:
        return replace(self, by=by)._query()

    def with_period(self, period: Period) -> str:
        return replace(self, period=period)._query()

    @property
    def compared(self) -> str:
        """The query with the other choice about comparing."""
        return replace(self, compares=not self.compares)._query()

    @property
    def of(self) -> str:
        """The filters as a query, for addresses that have a range of their own."""
        return urlencode([(by.value, value) for by, value in self.only])

    def _query(self) -> str:
        found = [("range", self.period.key)]
        if self.period.key == "custom":
            found = [("start", f"{self.period.start:%Y-%m-%dT%H:%MZ}"), ("end", f"{self.period.end:%Y-%m-%dT%H:%MZ}")]
        if self.by != By.VERSION:
            found.append(("by", self.by.value))
        found += [(by.value, value) for by, value in self.only]
        if self.compares:
            found.append(("compare", "1"))
        return urlencode(found)


def wanted_of(query: Mapping[str, str], *, now: dt.datetime) -> Wanted:
    """What a query asks for; what it doesn't say, or says wrong, is the usual."""
    offered = periods(now)
    period = _custom(query) or offered.get(query.get("range", "")) or next(iter(offered.values()))
    by = next((one for one in FILTERS if one.value == query.get("by")), By.VERSION)
    only = tuple(
        sorted((one, query[one.value]) for one in FILTERS if one.value in query and can_be(one, query[one.value]))
    )
    return Wanted(period=period, by=by, only=only, compares=query.get("compare") == "1")


def can_be(by: By, value: str) -> bool:
    """Whether there could be such a value."""
    if len(value) > LONGEST_VALUE or "\0" in value:
        return False
    name = value.partition("/")[2] if by == By.VERSION else value if by == By.KEY else ""
    try:
        return not name or str(UUID(name)) == name
    except ValueError:
        return False


def _custom(query: Mapping[str, str]) -> Period | None:
    start, end = (moment(query.get(name, "")) for name in ("start", "end"))
    if start is None or end is None or not EARLIEST <= start < end <= LATEST or end - start > LONGEST:
        return None
    grain = Grain.HOUR if end - start <= LONGEST_BY_HOUR else Grain.DAY
    return Period(key="custom", button="Custom", title="Custom range", start=start, end=end, grain=grain)


def moment(text: str) -> dt.datetime | None:
    """A time in ISO 8601, in UTC unless it says another zone; None for anything else."""
    try:
        found = parse_datetime(text)
        return found and (found.astimezone(dt.UTC) if found.tzinfo else found.replace(tzinfo=dt.UTC))
    except (ValueError, OverflowError):
        return None
