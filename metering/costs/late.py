"""What is counted after its month was closed.

The shares of a closed hour stay as they are. Late requests cost what they would have had of the hour, but never more
than what the operator still bears of it, so that the parts never exceed the whole. That is charged on the next open
statement.
"""

import datetime as dt
from collections.abc import Mapping, Sequence

from django.db.models import Sum

from metering.costs.shares import largest_remainder
from metering.ledger.months import month_of, next_month
from metering.ledger.rollup import Fact
from metering.models import Adjustment, AdjustmentKind, ClosedMonth, EndpointHour, HourlyUsage

KEY = ("tenant_id", "hour", "alias", "version_key", "endpoint", "key")


def is_closed(hour: dt.datetime) -> bool:
    """Whether the month (UTC) of an hour is closed."""
    return ClosedMonth.objects.filter(month=month_of(hour)).exists()


def charge_late(
    row: EndpointHour, lines: Mapping[Fact, HourlyUsage], facts: Sequence[Fact], used: Sequence[int]
) -> None:
    """Charge the late requests of a closed hour, where `used` is what each would have of it if it were shared now.

    Nothing is charged twice: what a line has of the hour, and what was charged for it before, is taken off. The caller
    holds the collector's lock, as whoever closes a month does.
    """
    charged = _charged(row)
    late = [place for place, fact in enumerate(facts) if fact in lines and lines[fact].unpriced]
    wanted = [max(0, used[place] - lines[facts[place]].used_micros - charged.get(facts[place], 0)) for place in late]
    left = max(0, row.operator_micros - sum(charged.values()))
    parts = largest_remainder(left, wanted) if sum(wanted) > left else wanted
    last = ClosedMonth.objects.order_by("-month").values_list("month", flat=True)[0]
    Adjustment.objects.bulk_create(
        Adjustment(
            kind=AdjustmentKind.LATE,
            month=next_month(last),
            of_month=month_of(row.hour),
            micros=micros,
            requests=lines[facts[place]].unpriced,
            **facts[place]._asdict(),
        )
        for place, micros in zip(late, parts, strict=True)
        if micros
    )


def _charged(row: EndpointHour) -> dict[Fact, int]:
    before = Adjustment.objects.filter(kind=AdjustmentKind.LATE, endpoint=row.endpoint, hour=row.hour)
    sums = before.order_by().values_list(*KEY).annotate(Sum("micros"))
    return {Fact(str(tenant_id), *rest): micros for tenant_id, *rest, micros in sums}
