"""Costs by hour, day or month: the same sums as the lines', at their times."""

import datetime as dt
from collections import defaultdict
from decimal import Decimal

from django.db.models import DecimalField, F, Q, QuerySet, Sum
from django.db.models.functions import Cast, Coalesce, Now, Trunc

from evaluations.models import CallPurpose, JudgeUsage, PaidTo
from jobs.models import Job
from metering.costs.queries import TITLES
from metering.costs.storage import storage_parts
from metering.models import Grain
from metering.usage.charts import Series
from metering.usage.figures import MICROS
from metering.usage.queries import Slice

Costs = dict[str, dict[dt.datetime, Decimal]]
"""By what is paid for, and time (UTC)."""

AMOUNT = DecimalField(max_digits=24, decimal_places=10)


def costs_over_time(wanted: Slice, grain: Grain, series: Series) -> Costs:
    """Everything that costs something in a range; of a part of the requests, only what serving them did.

    `series` is the usage of the same range and grain. Jobs count as they end, running ones now.
    """
    found: Costs = defaultdict(lambda: defaultdict(Decimal))
    for at, figures in series.items():
        if figures.used_micros:
            found["Serving"][at] += figures.used_cost
        if figures.idle_micros:
            found["Idle time"][at] += figures.idle_cost
    if not wanted.only:
        for kind, at, amount in _jobs(wanted, grain):
            found[TITLES.get(kind, kind.replace("_", " ").capitalize())][at] += amount
        for purpose, at, amount in _calls(wanted, grain):
            found[str(CallPurpose(purpose).label)][at] += amount
        for part in storage_parts(wanted.start, wanted.end, grain):
            found["Storage"][part.at] += Decimal(part.micros or 0) / MICROS
    return {title: dict(amounts) for title, amounts in found.items() if any(amounts.values())}


def _jobs(wanted: Slice, grain: Grain) -> QuerySet[Job, tuple[str, dt.datetime, Decimal]]:
    ended = Q(finished_at__gte=wanted.start, finished_at__lt=wanted.end)
    jobs = Job.objects.filter(ended | Q(finished_at=None), billable_seconds__gt=0, usd_per_hour__gt=0)
    amount = Sum(Cast(F("billable_seconds"), AMOUNT) * F("usd_per_hour") / 3600, output_field=AMOUNT)
    at = Trunc(Coalesce("finished_at", Now()), grain.value, tzinfo=dt.UTC)
    timed = jobs.annotate(at=at).filter(at__lt=wanted.end)
    return timed.order_by().values_list("kind", "at").annotate(amount=amount)


def _calls(wanted: Slice, grain: Grain) -> QuerySet[JudgeUsage, tuple[str, dt.datetime, Decimal]]:
    calls = JudgeUsage.objects.filter(hour__gte=wanted.start, hour__lt=wanted.end, usd__gt=0)
    timed = calls.exclude(paid_to=PaidTo.SERVING).annotate(at=Trunc("hour", grain.value, tzinfo=dt.UTC))
    return timed.order_by().values_list("purpose", "at").annotate(amount=Sum("usd"))
