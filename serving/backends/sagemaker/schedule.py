"""Times at which the base component gets another range of copies."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

MEMBERS = ("name", "cron", "least_copies", "most_copies")
NAME = re.compile(r"[A-Za-z0-9_-]{1,100}")
CRON_FIELDS = 6


@dataclass(frozen=True, kw_only=True)
class ScheduledCopies:
    """From the times of `cron` on, there are `least_copies` to `most_copies`.

    `cron` has AWS's six fields: minutes, hours, day of the month, month, day of the week, year; one of the days is `?`.
    """

    name: str
    cron: str
    least_copies: int
    most_copies: int


def read_schedule(entries: Any) -> tuple[ScheduledCopies, ...]:
    """The entries of a SCHEDULE: a list of objects, each with MEMBERS. Raises ValueError that names the first that is
    wrong."""
    if not isinstance(entries, list | tuple):
        raise ValueError("SCHEDULE must be a list of entries")
    found = [_read(f"SCHEDULE[{number}]", entry) for number, entry in enumerate(entries)]
    names = [one.name for one in found]
    for number, name in enumerate(names):
        if name in names[:number]:
            raise ValueError(f"SCHEDULE[{number}].name is taken: {name}")
    return tuple(found)


def _read(where: str, entry: Any) -> ScheduledCopies:
    if not isinstance(entry, Mapping) or set(entry) != set(MEMBERS):
        raise ValueError(f"{where} must have exactly these members: {', '.join(MEMBERS)}")
    name, cron, least, most = (entry[member] for member in MEMBERS)
    if not isinstance(name, str) or NAME.fullmatch(name) is None:
        raise ValueError(f"{where}.name must be 1 to 100 letters, digits, hyphens or underscores")
    fields = cron.split() if isinstance(cron, str) else []
    if len(fields) != CRON_FIELDS:
        raise ValueError(f"{where}.cron must have six fields, such as 0 8 ? * MON-FRI *")
    if (fields[2] == "?") == (fields[4] == "?"):
        raise ValueError(f"{where}.cron must have ? as the day of the month or as the day of the week, and not as both")
    if type(least) is not int or type(most) is not int or not 0 <= least <= most:
        raise ValueError(f"{where}.least_copies and most_copies must be whole numbers from 0, in this order")
    return ScheduledCopies(name=name, cron=cron, least_copies=least, most_copies=most)
