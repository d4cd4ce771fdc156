"""Makes the roll-ups of a month anew from its invocations."""

import datetime as dt
from itertools import islice

from django.db import transaction
from django.db.models import TextField
from django.db.models.functions import Cast

from metering.ledger.invocations import Row
from metering.ledger.lock import wait_for_turn
from metering.ledger.months import next_month
from metering.ledger.rollup import add_to_roll_ups
from metering.models import EndpointHour, HourlyUsage, Invocation, UsageTotal
from tenants.scope import system_scope

ROWS_AT_ONCE = 20_000
IDS = {"tenant_id", "key_id", "version_id"}


def rebuild_month(month: dt.date) -> int:
    """Replace the roll-ups of the month that begins on this day (UTC). Returns the number of its invocations.

    Only a month of which invocations are kept can be rebuilt. Nothing is collected meanwhile, and usage that is read
    stays as it was until the end.
    """
    start, end = (dt.datetime.combine(day, dt.time(), dt.UTC) for day in (month, next_month(month)))
    count = 0
    with system_scope(), transaction.atomic():
        wait_for_turn()
        HourlyUsage.objects.filter(hour__gte=start, hour__lt=end).delete()
        UsageTotal.objects.filter(start__gte=start, start__lt=end).delete()
        found = Invocation.objects.filter(at__gte=start, at__lt=end).order_by("at")
        texts = {f"{name}_text": Cast(name, TextField()) for name in IDS}
        columns = [f"{name}_text" if name in IDS else name for name in Row._fields]
        rows = found.annotate(**texts).values_list(*columns).iterator(chunk_size=ROWS_AT_ONCE)
        while some := [Row(*row) for row in islice(rows, ROWS_AT_ONCE)]:
            add_to_roll_ups(some)
            count += len(some)
        # Costs went with the sums they were written to.
        EndpointHour.objects.filter(hour__gte=start, hour__lt=end).update(allocated_at=None)
    return count
