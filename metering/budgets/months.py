"""Calendar months of UTC, each by its first day."""

import datetime as dt

LATE = dt.timedelta(days=7)
"""How long after its end a month is still counted: requests and prices may come late."""


def month_of(moment: dt.datetime | dt.date) -> dt.date:
    """The month that a moment is in."""
    day = moment.astimezone(dt.UTC).date() if isinstance(moment, dt.datetime) else moment
    return day.replace(day=1)


def next_month(month: dt.date) -> dt.date:
    return (month + dt.timedelta(days=31)).replace(day=1)


def begin_of_day(day: dt.date) -> dt.datetime:
    return dt.datetime(day.year, day.month, day.day, tzinfo=dt.UTC)


def months_to_count(now: dt.datetime) -> list[dt.date]:
    """This month, and the one before while something of it may still come."""
    this, before = month_of(now), month_of(now - LATE)
    return [this] if before == this else [before, this]
