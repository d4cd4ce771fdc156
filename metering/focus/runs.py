"""Trainings, evaluations and other jobs, each a charge of the day or hour in which it ended."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import Q, QuerySet, Sum
from django.utils import timezone

from jobs.backends import compute
from jobs.models import Job
from metering.costs.lines import MICRO_DOLLAR
from metering.costs.queries import TITLES
from metering.costs.shares import largest_remainder
from metering.focus.charges import MICROS, Charge
from metering.focus.organisations import Organisations
from metering.focus.periods import Month
from metering.focus.unknown import NO_PRICE, Unknown

SUBCATEGORY = "Machine Learning"
PLACES = Decimal("0.000000001")
"""Of hours."""


class Line(NamedTuple):
    """What the page of costs adds up."""

    tenant_id: UUID
    kind: str
    usd_per_hour: Decimal
    price_source: str


class Run(NamedTuple):
    tenant_id: UUID
    kind: str
    usd_per_hour: Decimal | None
    price_source: str
    id: UUID
    backend: str
    finished_at: dt.datetime | None
    billable_seconds: float


def run_charges(month: Month, organisations: Organisations) -> Iterator[Charge]:
    """Lines of the page of costs, each divided among its jobs by their time."""
    now = timezone.now()
    jobs = _jobs(month, organisations, now).exclude(usd_per_hour=None)
    sums = jobs.order_by().values_list(*Line._fields).annotate(sum=Sum("billable_seconds"))
    seconds = {Line(*row): total for *row, total in sums}
    lines: dict[Line, list[Run]] = defaultdict(list)
    for run in _runs(jobs):
        if run.usd_per_hour is not None:
            lines[Line(run.tenant_id, run.kind, run.usd_per_hour, run.price_source)].append(run)
    for line, runs in lines.items():
        tenant_id, kind, price, source = line
        usd = (Decimal(seconds[line]) / 3600 * price).quantize(MICRO_DOLLAR)
        shares = largest_remainder(int(usd * MICROS), [_microseconds(run) for run in runs])
        for run, micros in zip(runs, shares, strict=True):
            start, end = month.period_of(run.finished_at or now)
            title = title_of(kind)
            yield Charge(
                start=start,
                end=end,
                part="Run",
                description=f"{title}: {run.id}",
                service=title,
                subcategory=SUBCATEGORY,
                micros=micros,
                quantity=_hours(run),
                unit="Hours",
                unit_price=price,
                list_unit_price=price,
                price_source=source,
                sku=f"{kind}/{run.backend or 'default'}",
                meter="Run hours",
                organisation=organisations.get(tenant_id),
                resource_id=resource_id(run.id),
                resource_type="Job",
                region=_region(run.backend),
                tags={"job-kind": kind},
            )


def run_unknown(month: Month, organisations: Organisations) -> Iterator[Unknown]:
    """Runs without a price."""
    now = timezone.now()
    for run in _runs(_jobs(month, organisations, now).filter(usd_per_hour=None)):
        start, end = month.period_of(run.finished_at or now)
        yield Unknown(
            start=start, end=end, organisation=organisations.get(run.tenant_id), service=title_of(run.kind),
            resource_id=resource_id(run.id), quantity=_hours(run), unit="Hours", reason=NO_PRICE,
        )  # fmt: skip


def title_of(kind: str) -> str:
    return TITLES.get(kind, kind.replace("_", " ").capitalize())


def resource_id(job_id: UUID) -> str:
    return f"jobs/{job_id}"


def _jobs(month: Month, organisations: Organisations, now: dt.datetime) -> QuerySet[Job]:
    """Those that ended in the month; running ones count now."""
    billed = Q(finished_at__gte=month.start, finished_at__lt=month.end)
    if month.start <= now < month.end:
        billed |= Q(finished_at=None)
    return Job.objects.filter(billed, billable_seconds__gt=0, tenant_id__in=organisations.ids())


def _runs(jobs: QuerySet[Job]) -> Iterator[Run]:
    rows: Any = jobs.order_by("tenant__slug", "kind", "finished_at", "id").values_list(*Run._fields)
    for row in rows.iterator():
        yield Run(*row)


def _microseconds(run: Run) -> int:
    return max(1, round(run.billable_seconds * 1_000_000))


def _hours(run: Run) -> Decimal:
    return (Decimal(run.billable_seconds) / 3600).quantize(PLACES)


def _region(backend: str) -> str:
    return compute[backend].priced.region if backend in compute else ""
