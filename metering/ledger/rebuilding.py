"""Makes the roll-ups of a month anew from its invocations."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice

import numpy as np
from django.db import transaction
from django.db.models import TextField
from django.db.models.functions import Cast

from metering.ledger.invocations import Row
from metering.ledger.lock import wait_for_turn
from metering.ledger.months import next_month
from metering.ledger.rollup import Fact, Sums, add_sums, add_to_roll_ups
from metering.ledger.sketches import Bins
from metering.models import ClosedMonth, EndpointHour, HourlyUsage, Invocation, RollUp, UsageTotal
from tenants.scope import system_scope

ROWS_AT_ONCE = 20_000
IDS = {"tenant_id", "key_id", "version_id"}


def rebuild_month(month: dt.date) -> int:
    """Replace the roll-ups of the month that begins on this day (UTC). Returns the number of its invocations.

    Only a month of which invocations are kept can be rebuilt. Nothing is collected meanwhile, and usage that is read
    stays as it was until the end. The shares of a closed month are kept.
    """
    start, end = (dt.datetime.combine(day, dt.time(), dt.UTC) for day in (month, next_month(month)))
    count = 0
    with system_scope(), transaction.atomic():
        wait_for_turn()
        closed = ClosedMonth.objects.filter(month=month).exists()
        kept = _shares(start, end) if closed else {}
        HourlyUsage.objects.filter(hour__gte=start, hour__lt=end).delete()
        UsageTotal.objects.filter(start__gte=start, start__lt=end).delete()
        found = Invocation.objects.filter(at__gte=start, at__lt=end).order_by("at")
        texts = {f"{name}_text": Cast(name, TextField()) for name in IDS}
        columns = [f"{name}_text" if name in IDS else name for name in Row._fields]
        rows = found.annotate(**texts).values_list(*columns).iterator(chunk_size=ROWS_AT_ONCE)
        while some := [Row(*row) for row in islice(rows, ROWS_AT_ONCE)]:
            add_to_roll_ups(some)
            count += len(some)
        if closed:
            _put_back(kept, now=_shares(start, end))
        else:
            # Costs went with the sums they were written to.
            EndpointHour.objects.filter(hour__gte=start, hour__lt=end).update(allocated_at=None)
    return count


@dataclass(frozen=True, kw_only=True)
class _Share:
    """What a line has of its hour; the cost of `priced` requests is known, that of `unpriced` is not."""

    priced: int
    unpriced: int
    used_micros: int
    idle_micros: int


def _shares(start: dt.datetime, end: dt.datetime) -> dict[Fact, _Share]:
    rows = HourlyUsage.objects.filter(hour__gte=start, hour__lt=end).exclude(endpoint="").defer(*RollUp.SKETCHES)
    return {
        Fact(str(row.tenant_id), row.hour, row.alias, row.version_key, row.endpoint, row.key): _Share(
            priced=row.requests - row.unpriced,
            unpriced=row.unpriced,
            used_micros=row.used_micros,
            idle_micros=row.idle_micros,
        )
        for row in rows.iterator(chunk_size=ROWS_AT_ONCE)
    }


def _put_back(kept: Mapping[Fact, _Share], *, now: Mapping[Fact, _Share]) -> None:
    """Requests that nobody had counted before stay without a cost."""
    if not kept:
        return
    shares = list(kept.values())
    priced = [min(share.priced, now[fact].unpriced) if fact in now else 0 for fact, share in kept.items()]
    counted = {name: np.zeros(len(kept), np.int64) for name in RollUp.SUMS}
    counted["used_micros"] += np.array([share.used_micros for share in shares], np.int64)
    counted["idle_micros"] += np.array([share.idle_micros for share in shares], np.int64)
    counted["unpriced"] -= np.array(priced, np.int64)
    nothing = Bins.of_sketches([])
    add_sums({fact: place for place, fact in enumerate(kept)}, Sums(counted, dict.fromkeys(RollUp.SKETCHES, nothing)))
