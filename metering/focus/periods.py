"""The time that a file covers: a calendar month (UTC), in charges by the day or the hour."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

from metering.models import Grain
from metering.usage.ranges import DAY, begin_of, next_of
from rest.errors import PortalError

EARLIEST = 2000
GRAINS = (Grain.DAY, Grain.HOUR)


class WrongMonth(PortalError):
    """Not a month such as 2026-10, or one to come."""

    code = "focus:wrong_month"


@dataclass(frozen=True, kw_only=True)
class Month:
    """From `start` up to `end`, exclusive; charges are added up by `grain`, a day or an hour."""

    start: dt.datetime
    grain: Grain = Grain.DAY

    @property
    def end(self) -> dt.datetime:
        return next_of(Grain.MONTH, self.start)

    @property
    def name(self) -> str:
        return f"{self.start:%Y-%m}"

    def days(self) -> Iterator[tuple[dt.datetime, dt.datetime]]:
        """Each day's beginning and end."""
        day = self.start
        while day < self.end:
            yield day, day + DAY
            day += DAY

    def periods(self) -> Iterator[tuple[dt.datetime, dt.datetime]]:
        """Beginning and end of each day or hour, by `grain`."""
        start = self.start
        while start < self.end:
            end = next_of(self.grain, start)
            yield start, end
            start = end

    def period_of(self, moment: dt.datetime) -> tuple[dt.datetime, dt.datetime]:
        """The beginning and end of the day or hour that a moment is in."""
        start = begin_of(self.grain, moment)
        return start, next_of(self.grain, start)


def month_named(text: str, *, now: dt.datetime, grain: Grain = Grain.DAY) -> Month:
    """The month of a text such as 2026-10. Raises WrongMonth."""
    try:
        start = dt.datetime.strptime(text, "%Y-%m").replace(tzinfo=dt.UTC)
    except ValueError:
        raise WrongMonth("Write the month as 2026-10.", field="month") from None
    if start.year < EARLIEST or start > now:
        raise WrongMonth("Choose this month or an earlier one.", field="month")
    return Month(start=start, grain=grain)
