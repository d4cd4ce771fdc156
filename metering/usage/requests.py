"""The single requests behind a point of a chart. What was asked and answered is kept nowhere."""

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum

from django.db.models import Q, QuerySet

from metering.models import By, Invocation, version_value
from metering.usage.names import Name, names_of
from metering.usage.queries import Slice

ON_A_PAGE = 100
LONGEST_TO_SORT = dt.timedelta(days=1)
"""The slowest of a longer range would have to be looked for among too many."""


class Which(StrEnum):
    """Which requests of a range."""

    ALL = "all"
    FAILED = "failed"
    SLOWEST = "slowest"


@dataclass(frozen=True, kw_only=True)
class Request:
    """A request, and what its model or version and its key are called."""

    row: Invocation
    version: Name
    key: Name


def requests_of(wanted: Slice, which: Which, before: dt.datetime | None) -> list[Request]:
    """At most `ON_A_PAGE`, the newest first, of those before a time; or the slowest of all, the slowest first."""
    found = _of(wanted)
    if which == Which.FAILED:
        found = found.filter(status__gte=400)
    if which == Which.SLOWEST:
        found = found.filter(status__lt=400).order_by("-latency_ms")
    else:
        found = found.filter(at__lt=before) if before else found
        found = found.order_by("-at", "request_id")
    rows = list(found[:ON_A_PAGE])
    versions = {name.value: name for name in names_of(By.VERSION, {_version(row) for row in rows})}
    keys = {name.value: name for name in names_of(By.KEY, {str(row.key_id or "") for row in rows})}
    return [Request(row=row, version=versions[_version(row)], key=keys[str(row.key_id or "")]) for row in rows]


def _of(wanted: Slice) -> QuerySet[Invocation]:
    found = Invocation.objects.filter(at__gte=wanted.start, at__lt=wanted.end)
    for by, value in wanted.only:
        if by == By.VERSION:
            alias, _, key = value.partition("/")
            found = found.filter(alias=alias, version_id=key or None)
        elif by == By.KEY:
            found = found.filter(Q(key_id=value) if value else Q(key_id=None))
        else:
            found = found.filter(**{"alias" if by == By.MODEL else "endpoint": value})
    return found


def _version(row: Invocation) -> str:
    return version_value(row.alias, str(row.version_id or ""))
