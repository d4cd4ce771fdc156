"""The month that the operator looks at, and the same days of the month before."""

import datetime as dt
from dataclasses import dataclass
from typing import Self

from metering.models import Grain
from metering.usage.ranges import DAY, begin_of, next_of, whole_hours

KEPT = 13
"""Months to choose from."""


@dataclass(frozen=True, kw_only=True)
class Month:
    """A calendar month (UTC), `end` exclusive: that of the hour that runs, if the month does."""

    start: dt.datetime
    end: dt.datetime

    @classmethod
    def of(cls, text: str, now: dt.datetime) -> Self:
        """The month that `2026-11` names, or the one that runs if nothing or none of the last does."""
        current = begin_of(Grain.MONTH, now)
        start = next((one for one in _last_months(current) if one.strftime("%Y-%m") == text), current)
        return cls(start=start, end=min(next_of(Grain.MONTH, start), whole_hours(start, now)[1]))

    @property
    def before(self) -> "Month":
        """The same days and hours of the month before; at most that month."""
        start = begin_of(Grain.MONTH, self.start - DAY)
        return Month(start=start, end=min(start + (self.end - self.start), self.start))

    @property
    def key(self) -> str:
        return f"{self.start:%Y-%m}"

    @property
    def is_running(self) -> bool:
        """Whether it has not ended."""
        return self.end < next_of(Grain.MONTH, self.start)


def months(now: dt.datetime) -> list[Month]:
    """Those to choose from, the newest first."""
    return [Month.of(start.strftime("%Y-%m"), now) for start in _last_months(begin_of(Grain.MONTH, now))]


def _last_months(current: dt.datetime) -> list[dt.datetime]:
    found = [current]
    while len(found) < KEPT:
        found.append(begin_of(Grain.MONTH, found[-1] - DAY))
    return found
