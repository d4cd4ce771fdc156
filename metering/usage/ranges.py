"""A range of whole hours (UTC) as months, days and hours, so that a long one is read from few rows."""

import datetime as dt
from collections.abc import Iterator
from typing import NamedTuple

from metering.models import Grain

HOUR = dt.timedelta(hours=1)
DAY = dt.timedelta(days=1)


class Piece(NamedTuple):
    """Rows of one grain from `start` up to `end`, exclusive."""

    grain: Grain
    start: dt.datetime
    end: dt.datetime


def begin_of(grain: Grain, moment: dt.datetime) -> dt.datetime:
    """The beginning of the hour, day or month (UTC) that a moment is in."""
    if moment.tzinfo is not dt.UTC:
        moment = moment.astimezone(dt.UTC)
    if grain == Grain.HOUR:
        return moment.replace(minute=0, second=0, microsecond=0)
    if grain == Grain.DAY:
        return moment.replace(hour=0, minute=0, second=0, microsecond=0)
    return moment.replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def next_of(grain: Grain, start: dt.datetime) -> dt.datetime:
    """The end of the hour, day or month that begins at `start`."""
    if grain == Grain.MONTH:
        return (start + 31 * DAY).replace(day=1)
    return start + (HOUR if grain == Grain.HOUR else DAY)


def starts(grain: Grain, start: dt.datetime, end: dt.datetime) -> Iterator[dt.datetime]:
    """The beginnings of all hours, days or months that a range touches."""
    at = begin_of(grain, start)
    while at < end:
        yield at
        at = next_of(grain, at)


def whole_hours(start: dt.datetime, end: dt.datetime) -> tuple[dt.datetime, dt.datetime]:
    """The range widened to whole hours."""
    first, last = begin_of(Grain.HOUR, start), begin_of(Grain.HOUR, end)
    return first, last if last == end else last + HOUR


def pieces(start: dt.datetime, end: dt.datetime, *, now: dt.datetime, coarsest: Grain = Grain.MONTH) -> list[Piece]:
    """The fewest rows that make up a range of whole hours. Nothing is after `now`, so its month may be read whole."""
    if end > now:
        end = max(end, next_of(coarsest, begin_of(coarsest, now)))
    found: list[Piece] = []
    _divide(start, end, [grain for grain in (Grain.MONTH, Grain.DAY, Grain.HOUR) if _allowed(grain, coarsest)], found)
    return found


def _allowed(grain: Grain, coarsest: Grain) -> bool:
    order = list(Grain)
    return order.index(grain) <= order.index(coarsest)


def _divide(start: dt.datetime, end: dt.datetime, grains: list[Grain], found: list[Piece]) -> None:
    if start >= end:
        return
    grain, *finer = grains
    first = begin_of(grain, start)
    first = first if first == start else next_of(grain, first)
    last = begin_of(grain, end)
    if first >= last:
        if finer:
            _divide(start, end, finer, found)
        return
    if finer:
        _divide(start, first, finer, found)
    found.append(Piece(grain, first, last))
    if finer:
        _divide(last, end, finer, found)
