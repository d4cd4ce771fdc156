"""Calendar months (UTC), each named by its first day."""

import datetime as dt
import re

from metering.ledger.months import month_of, next_month

FIRST, LAST = dt.date(2000, 1, 1), dt.date(2900, 1, 1)
_TEXT = re.compile(r"(\d{4})-(\d{2})", re.ASCII)


def start_of(month: dt.date) -> dt.datetime:
    """Its first moment."""
    return dt.datetime.combine(month, dt.time(), dt.UTC)


def end_of(month: dt.date) -> dt.datetime:
    """The first moment after it."""
    return start_of(next_month(month))


def month_before(month: dt.date) -> dt.date:
    return month_of(start_of(month) - dt.timedelta(days=1))


def key_of(month: dt.date) -> str:
    """As in "2026-10"."""
    return f"{month:%Y-%m}"


def title_of(month: dt.date) -> str:
    """As in "October 2026"."""
    return f"{month:%B %Y}"


def parsed_month(text: str) -> dt.date:
    """The month that a text such as 2026-10 names. Raises ValueError."""
    found = _TEXT.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is no month such as 2026-10")
    month = dt.date(int(found[1]), int(found[2]), 1)
    if not FIRST <= month < LAST:
        raise ValueError(f"{text!r} is out of range")
    return month


def months_between(first: dt.date, last: dt.date) -> list[dt.date]:
    """Both included, the latest first."""
    found = []
    while first <= last:
        found.append(first)
        first = next_month(first)
    return found[::-1]
