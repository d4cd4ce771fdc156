"""What was spent on what budgets are of, from the rows that costs are read from.

- Everything: the total of the page of costs.
- An adapter: what serving its versions costs, used and idle; the runs that train and evaluate them; its part of
  storage. Calls of judges do not say for which adapter they were, and are not counted.
- An API key: what serving its requests costs, used and idle.

A constant number of queries, however many budgets there are.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NamedTuple

from django.db.models import F, Q, QuerySet, Sum
from django.db.models.functions import Cast, Coalesce, Now, TruncDate
from django.utils import timezone

from evaluations.models import JudgeUsage, PaidTo
from jobs.models import Job
from metering.budgets.months import begin_of_day, next_month
from metering.costs.judging import judge_lines
from metering.costs.lines import MICRO_DOLLAR
from metering.costs.over_time import AMOUNT
from metering.costs.queries import job_lines
from metering.costs.storage import StoragePart, storage_parts
from metering.models import BudgetScope, By, Grain, UsageTotal
from metering.usage.figures import MICROS

ADAPTER = Coalesce("training_run__adapter__name", "evaluation_run__version__adapter__name")
"""Of a job."""


class Subject(NamedTuple):
    """What a budget is of; `value` as `Budget.value`."""

    scope: str
    value: str = ""


EVERYTHING = Subject(BudgetScope.ALL.value)


@dataclass(kw_only=True)
class Counted:
    """Millionths of a US dollar, and what they lack because no price is known."""

    micros: int = 0
    requests_without_cost: int = 0
    seconds_without_cost: float = 0.0
    calls_without_cost: int = 0
    gb_months_without_cost: float = 0.0

    def add_run(self, seconds: float, usd: Decimal | None) -> None:
        if usd is None:
            self.seconds_without_cost += seconds
        else:
            self.micros += micros_of(usd)

    def add_storage(self, part: StoragePart) -> None:
        if part.micros is None:
            self.gb_months_without_cost += float(part.gb_months)
        else:
            self.micros += part.micros


def micros_of(usd: Decimal) -> int:
    return int(usd * MICROS)


def counted_in(month: dt.date, subjects: Iterable[Subject]) -> dict[Subject, Counted]:
    """What the active tenant spent in a month on each of them."""
    found = {subject: Counted() for subject in subjects}
    start, end = begin_of_day(month), begin_of_day(next_month(month))
    for subject, _, micros, unpriced in _serving(found, Grain.MONTH, start, end):
        found[subject].micros += micros
        found[subject].requests_without_cost += unpriced
    if everything := found.get(EVERYTHING):
        for run in job_lines(start, end):
            everything.add_run(run.seconds or 0.0, run.usd)
        for line in judge_lines(start, end):
            everything.micros += micros_of(line.usd or Decimal(0))
            everything.calls_without_cost += line.calls.without_cost if line.paid_to != PaidTo.SERVING else 0
    for name, price, seconds in _runs(_adapters(found), start, end):
        usd = None if price is None else (Decimal(seconds) / 3600 * price).quantize(MICRO_DOLLAR)
        found[Subject(BudgetScope.ADAPTER.value, name)].add_run(seconds, usd)
    for part in storage_parts(start, end):
        for subject in _of_storage(found, part):
            found[subject].add_storage(part)
    return found


def by_day(subjects: Iterable[Subject], start: dt.date, end: dt.date) -> dict[Subject, dict[dt.date, int]]:
    """What was spent on each day (UTC) from `start` up to `end`, exclusive, where anything was; in millionths."""
    found: dict[Subject, dict[dt.date, int]] = {subject: defaultdict(int) for subject in subjects}
    first, last = begin_of_day(start), begin_of_day(end)
    for subject, at, micros, _ in _serving(found, Grain.DAY, first, last):
        found[subject][at.date()] += micros
    runs = _billed(first, last).filter(usd_per_hour__gt=0)
    amount = Sum(Cast(F("billable_seconds"), AMOUNT) * F("usd_per_hour") / 3600, output_field=AMOUNT)
    day = TruncDate(Coalesce("finished_at", Now()), tzinfo=dt.UTC)
    for name, at, usd in runs.annotate(adapter=ADAPTER, day=day).values_list("adapter", "day").annotate(amount=amount):
        for subject in (EVERYTHING, Subject(BudgetScope.ADAPTER.value, name)):
            if subject in found:
                found[subject][at] += micros_of(usd)
    if EVERYTHING in found:
        calls = JudgeUsage.objects.filter(hour__gte=first, hour__lt=last, usd__gt=0).exclude(paid_to=PaidTo.SERVING)
        days = calls.order_by().annotate(day=TruncDate("hour", tzinfo=dt.UTC)).values_list("day")
        for at, usd in days.annotate(Sum("usd")):
            found[EVERYTHING][at] += micros_of(usd)
    for part in storage_parts(first, last, Grain.DAY):
        for subject in _of_storage(found, part):
            found[subject][part.at.date()] += part.micros or 0
    return {subject: {day: micros for day, micros in days.items() if micros} for subject, days in found.items()}


def _serving(
    subjects: Collection[Subject], grain: Grain, start: dt.datetime, end: dt.datetime
) -> Iterable[tuple[Subject, dt.datetime, int, int]]:
    """What serving cost, by subject and time, and the requests it lacks."""
    adapters = set(_adapters(subjects))
    keys = [subject.value for subject in subjects if subject.scope == BudgetScope.KEY]
    wanted = Q(by=By.KEY, value__in=keys)
    wanted |= Q(by=By.ALL) if EVERYTHING in subjects else Q()
    for name in adapters:
        # Whatever begins with the model and a stroke, which a nought comes after.
        wanted |= Q(by=By.VERSION, value__gte=f"{name}/", value__lt=f"{name}0")
    rows = UsageTotal.objects.filter(wanted, grain=grain, start__gte=start, start__lt=end).order_by()
    for by, value, at, used, idle, unpriced in rows.values_list(
        "by", "value", "start", "used_micros", "idle_micros", "unpriced"
    ):
        if by == By.VERSION:
            yield Subject(BudgetScope.ADAPTER.value, value.partition("/")[0]), at, used + idle, unpriced
        else:
            subject = Subject(BudgetScope.KEY.value, value) if by == By.KEY else EVERYTHING
            yield subject, at, used + idle, unpriced


def _runs(
    adapters: Collection[str], start: dt.datetime, end: dt.datetime
) -> Iterable[tuple[str, Decimal | None, float]]:
    """The runs that trained or evaluated versions of adapters: adapter, price per hour, seconds."""
    runs = _billed(start, end).annotate(adapter=ADAPTER).filter(adapter__in=adapters)
    groups = runs.values_list("adapter", "usd_per_hour", "kind").annotate(Sum("billable_seconds"))
    return [(name, price, seconds) for name, price, _, seconds in groups]


def _of_storage(subjects: Collection[Subject], part: StoragePart) -> list[Subject]:
    """What a part of storage counts for: everything, and its adapter."""
    return [one for one in (EVERYTHING, Subject(BudgetScope.ADAPTER.value, part.adapter)) if one in subjects]


def _billed(start: dt.datetime, end: dt.datetime) -> QuerySet[Job, Any]:
    """As costs count them: a run in the hour in which it ended, one that runs now."""
    billed = Q(finished_at__gte=start, finished_at__lt=end)
    if start <= timezone.now() < end:
        billed |= Q(finished_at=None)
    return Job.objects.filter(billed, billable_seconds__gt=0).order_by()


def _adapters(subjects: Iterable[Subject]) -> list[str]:
    return [subject.value for subject in subjects if subject.scope == BudgetScope.ADAPTER]
