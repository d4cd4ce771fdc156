"""What a budget's money was spent on, from the truth: roll-ups, jobs and judges' calls."""

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import DecimalField, F, Q, QuerySet, Sum
from django.db.models.functions import Cast, Trunc

from evaluations.models import JudgeUsage, PaidTo
from jobs.models import Job
from metering.costs.queries import costs_of
from metering.models import Budget, By, Grain
from metering.usage.queries import Slice, usage_of

AMOUNT = DecimalField(max_digits=24, decimal_places=10)


@dataclass(frozen=True, kw_only=True)
class Spent:
    """US dollars, and how many requests, calls and runs have no known cost."""

    usd: Decimal
    unknown: int


def spent(budget: Budget, start: dt.datetime, end: dt.datetime) -> Spent:
    """Between two whole hours. Of everything, what this site charges: the same number as on the usage page."""
    if budget.by == By.ALL:
        costs = costs_of(start, end)
        unknown = costs.requests_without_cost + costs.calls_without_cost + (costs.seconds_without_cost > 0)
        return Spent(usd=costs.site_usd, unknown=unknown)
    figures = usage_of(_slice(budget, start, end)).total
    jobs = _jobs_of(budget, start, end)
    without = jobs.filter(usd_per_hour=None).count()
    total = jobs.aggregate(usd=_cost_of_jobs())["usd"] or Decimal(0)
    return Spent(usd=figures.cost + total, unknown=figures.unpriced + without)


def spent_by_day(budget: Budget, start: dt.datetime, end: dt.datetime) -> dict[dt.date, Decimal]:
    """The same by day (UTC), days without any left out."""
    found: dict[dt.date, Decimal] = defaultdict(Decimal)
    for at, figures in usage_of(_slice(budget, start, end)).series(Grain.DAY).items():
        found[at.date()] += figures.cost
    jobs = _jobs_of(budget, start, end).annotate(day=Trunc("finished_at", "day", tzinfo=dt.UTC)).order_by()
    for day, usd in jobs.values_list("day").annotate(usd=_cost_of_jobs()):
        found[day.date()] += usd or Decimal(0)
    if budget.by == By.ALL:
        calls = JudgeUsage.objects.filter(hour__gte=start, hour__lt=end, paid_to=PaidTo.SITE).order_by()
        for day, usd in calls.annotate(day=Trunc("hour", "day", tzinfo=dt.UTC)).values_list("day").annotate(Sum("usd")):
            found[day.date()] += usd
    return dict(found)


def _slice(budget: Budget, start: dt.datetime, end: dt.datetime) -> Slice:
    only = () if budget.by == By.ALL else ((By(budget.by), budget.value),)
    return Slice(start=start, end=end, only=only)


def _jobs_of(budget: Budget, start: dt.datetime, end: dt.datetime) -> QuerySet[Job]:
    """Of a model, its trainings and the evaluations of its versions; a key starts none."""
    jobs = Job.objects.filter(finished_at__gte=start, finished_at__lt=end, billable_seconds__gt=0)
    if budget.by == By.ALL:
        return jobs
    if budget.by != By.MODEL:
        return jobs.none()
    trained = Q(training_run__adapter__name=budget.value)
    return jobs.filter(trained | Q(evaluation_run__version__adapter__name=budget.value))


def _cost_of_jobs() -> Sum:
    return Sum(Cast(F("billable_seconds"), AMOUNT) * F("usd_per_hour") / 3600, output_field=AMOUNT)
