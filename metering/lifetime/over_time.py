"""What an adapter costs by hour, day or month: its requests, the runs that trained it, its evaluations and judges."""

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal

from django.db.models import Q, QuerySet
from django.db.models.functions import Coalesce
from django.utils import timezone

from adapters.models import Adapter
from evaluations.models import CallPurpose, Judging
from jobs.models import Job
from metering.costs.lines import MICRO_DOLLAR
from metering.costs.over_time import Costs, costs_over_time
from metering.costs.queries import TITLES, billed_jobs
from metering.lifetime.costs import cost_of
from metering.models import By, Grain
from metering.usage.charts import Series
from metering.usage.queries import Slice
from metering.usage.ranges import begin_of


def adapter_costs_over_time(adapter: Adapter, wanted: Slice, grain: Grain, series: Series) -> Costs:
    """Everything in a range with a known cost; `series` is the usage of the adapter in it, by the same grain.

    All versions count, and trainings that made none. A job counts as it ends, a running one now; so do judgings, with
    what they were charged.
    """
    served = Slice(start=wanted.start, end=wanted.end, only=((By.MODEL, adapter.name),))
    found = costs_over_time(served, grain, series)
    for title, at, amount in (*_jobs(adapter, wanted), *_judgings(adapter, wanted)):
        amounts, time = found.setdefault(title, {}), begin_of(grain, at)
        amounts[time] = amounts.get(time, Decimal(0)) + amount
    return {title: amounts for title, amounts in found.items() if any(amounts.values())}


def _jobs(adapter: Adapter, wanted: Slice) -> Iterator[tuple[str, dt.datetime, Decimal]]:
    of_it = Q(training_run__adapter=adapter) | Q(evaluation_run__version__adapter=adapter)
    jobs: QuerySet[Job] = billed_jobs(wanted.start, wanted.end).filter(of_it).exclude(usd_per_hour=None)
    for job in jobs:
        yield TITLES[job.kind], job.finished_at or timezone.now(), cost_of(job) or Decimal(0)


def _judgings(adapter: Adapter, wanted: Slice) -> Iterator[tuple[str, dt.datetime, Decimal]]:
    ended = Judging.objects.filter(run__version__adapter=adapter).exclude(usage={})
    timed = ended.annotate(at=Coalesce("job__finished_at", "created_at"))
    for usage, at in timed.filter(at__gte=wanted.start, at__lt=wanted.end).values_list("usage", "at"):
        if (usd := usage.get("cost_usd")) is not None:
            yield str(CallPurpose.JUDGING.label), at, Decimal(str(usd)).quantize(MICRO_DOLLAR)
