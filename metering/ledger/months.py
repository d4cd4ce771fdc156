"""The months of invocations, each a partition of its table, so that old ones go at once.

The site's role owns no table: two functions of the database, which run as their owner, add and drop partitions.
"""

import datetime as dt
from collections.abc import Iterable

from django.conf import settings
from django.db import connection
from django.utils import timezone


def month_of(moment: dt.datetime) -> dt.date:
    """The first day of the month (UTC)."""
    return moment.astimezone(dt.UTC).date().replace(day=1)


def first_kept() -> dt.date:
    """The oldest month of which invocations are kept."""
    today = timezone.now().astimezone(dt.UTC).date()
    return _later(today.replace(day=1), -settings.INVOCATION_MONTHS_KEPT)


def next_month(month: dt.date) -> dt.date:
    """The first day of the month after one."""
    return _later(month, 1)


def add_months(months: Iterable[dt.date]) -> None:
    """Have room for invocations of these months."""
    known = set(present_months())
    with connection.cursor() as cursor:
        for month in sorted(set(months) - known):
            cursor.execute("SELECT metering_add_month(%s)", [month])


def prepare_months() -> None:
    """Have room for this month and the next, so that nobody waits for it at midnight, and drop those not kept."""
    this = month_of(timezone.now())
    add_months([this, next_month(this)])
    with connection.cursor() as cursor:
        for month in present_months():
            if month < first_kept():
                cursor.execute("SELECT metering_drop_month(%s)", [month])


def present_months() -> list[dt.date]:
    """The months there is room for, the oldest first."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT right(inhrelid::regclass::text, 7) FROM pg_inherits"
            " WHERE inhparent = 'metering_invocation'::regclass ORDER BY 1"
        )
        return [dt.date.fromisoformat(f"{name.replace('_', '-')}-01") for (name,) in cursor.fetchall()]


def _later(month: dt.date, months: int) -> dt.date:
    number = month.year * 12 + month.month - 1 + months
    return dt.date(number // 12, number % 12 + 1, 1)
