"""The schedules of Application Auto Scaling's actions: `cron(…)` and `at(…)`, in a time zone."""

import datetime as dt
import re
from collections.abc import Callable
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from standin.errors import AwsError, invalid

FORM = re.compile(r"(cron|at)\((.*)\)")
MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
RANGES = ((0, 59), (0, 23), (1, 31), (1, 12), (1, 7), (1970, 2199))
"""Of minutes, hours, days of the month, months, days of the week from Sunday, and years."""
PART = re.compile(r"(\*|\d+)(?:-(\d+))?(?:/(\d+))?")

Due = Callable[[float], bool]
"""Whether an action is due in the minute that begins at these Unix seconds."""


def parse(schedule: str, zone: str) -> Due:
    """Raises AWS's error for a schedule or zone that is none."""
    form = FORM.fullmatch(schedule)
    if form is None:
        raise invalid(f"The schedule expression is not valid: {schedule}. The stand-in knows cron and at.")
    try:
        local = ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise invalid(f"The time zone is not valid: {zone}.") from None
    return _cron(form[2], local) if form[1] == "cron" else _at(form[2], local)


def _at(text: str, zone: ZoneInfo) -> Due:
    try:
        moment = dt.datetime.strptime(text, "%Y-%m-%dT%H:%M:%S").replace(tzinfo=zone).timestamp()
    except ValueError:
        raise _bad(text) from None
    return lambda minute: minute <= moment < minute + 60


def _cron(text: str, zone: ZoneInfo) -> Due:
    fields = text.split()
    if len(fields) != len(RANGES):
        raise _bad(text)
    if (fields[2] == "?") == (fields[4] == "?"):
        # AWS knows no other way to say which of the two days counts.
        raise _bad(text)
    for number, names, first in ((3, MONTHS, 1), (4, DAYS, 1)):
        for value, name in enumerate(names, first):
            fields[number] = fields[number].upper().replace(name, str(value))
    allowed = [_values(field, *bounds) for field, bounds in zip(fields, RANGES, strict=True)]

    def due(minute: float) -> bool:
        at = dt.datetime.fromtimestamp(minute, zone)
        now = (at.minute, at.hour, at.day, at.month, at.isoweekday() % 7 + 1, at.year)
        return all(value in values for value, values in zip(now, allowed, strict=True))

    return due


def _values(field: str, least: int, most: int) -> frozenset[int]:
    if field == "?":
        return frozenset(range(least, most + 1))
    found: set[int] = set()
    for part in field.split(","):
        match = PART.fullmatch(part)
        if match is None:
            raise _bad(field)
        start = least if match[1] == "*" else int(match[1])
        end = int(match[2]) if match[2] else most if match[1] == "*" or match[3] else start
        step = int(match[3] or 1)
        if not least <= start <= end <= most or not step:
            raise _bad(field)
        found |= set(range(start, end + 1, step))
    return frozenset(found)


def _bad(text: str) -> AwsError:
    return invalid(f"The schedule expression is not valid: {text}.")
