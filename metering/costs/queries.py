"""Costs: measured time or tokens, each at a price with its source. The total is the sum of the lines."""

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Q, QuerySet, Sum
from django.utils import timezone

from evaluations.models import PaidTo
from jobs.models import Job
from metering.costs.judging import call_lines, judge_lines
from metering.costs.lines import MICRO_DOLLAR, CostLine, JudgeLine
from metering.costs.storage import hours_not_measured, storage_lines, storage_parts
from metering.models import By, EndpointHour
from metering.usage.queries import Slice, usage_of

TITLES = {
    "training": "Training",
    "evaluation": "Evaluation",
    "dataset_check": "Checking datasets",
    "dataset_inspect": "Inspecting uploads",
}
"""By kind of job."""
NO_PRICE = "No price set"
MEASURED = "run time × price per hour"
USED = "your share of each hour’s cost, by what you used of the endpoint"
IDLE = "your share of what the endpoint cost while nothing was asked of it"


@dataclass(frozen=True, kw_only=True)
class CostSummary:
    """Costs from `start` up to `end`, exclusive. `judges` are the parts of the lines that count calls.

    In `hours_not_measured` nobody knows what was in storage: they cost nothing that is known.
    """

    start: dt.datetime
    end: dt.datetime
    lines: list[CostLine]
    judges: list[JudgeLine]
    hours_not_measured: int = 0

    @property
    def total_usd(self) -> Decimal:
        """Of all lines with a known cost, whoever is paid."""
        return self.site_usd + self.provider_usd

    @property
    def site_usd(self) -> Decimal:
        """What this site charges."""
        return self._paid_to(PaidTo.SITE)

    @property
    def provider_usd(self) -> Decimal:
        """What the organisation pays to its own providers."""
        return self._paid_to(PaidTo.PROVIDER)

    @property
    def requests_without_cost(self) -> int:
        """Requests that are not in the total: their hour was not shared yet, or its price is not known."""
        return sum(line.unpriced for line in self.lines)

    @property
    def calls_without_cost(self) -> int:
        """Calls that are not in the total, because their cost is not known."""
        return sum(part.calls.without_cost for part in self.judges if part.paid_to != PaidTo.SERVING)

    @property
    def seconds_without_cost(self) -> float:
        """Time of runs that is not in the total, because no price is known for it."""
        unknown = (line for line in self.lines if line.usd is None and not line.unpriced)
        return sum(line.seconds for line in unknown if line.seconds is not None)

    @property
    def gb_months_without_cost(self) -> Decimal:
        """Storage that is not in the total, because no price is known for it."""
        return sum((line.gb_months or Decimal(0) for line in self.lines if line.usd is None), Decimal(0))

    def _paid_to(self, payee: PaidTo) -> Decimal:
        return sum((line.usd for line in self.lines if line.paid_to == payee and line.usd is not None), Decimal(0))


def costs_of(start: dt.datetime, end: dt.datetime) -> CostSummary:
    """The active tenant's costs. A job counts in the hour in which it ended, a running one now; a call as it returned.

    The range is widened to whole hours.
    """
    return costs_of_slice(Slice.touching(start, end))


def costs_of_slice(wanted: Slice) -> CostSummary:
    """The costs of a range; of a part of the requests, only what serving them cost."""
    judges = [] if wanted.only else judge_lines(wanted.start, wanted.end)
    jobs = [] if wanted.only else job_lines(wanted.start, wanted.end)
    storage = [] if wanted.only else storage_lines(storage_parts(wanted.start, wanted.end))
    lines = [*jobs, *call_lines(judges), *_serving_lines(wanted), *storage]
    gaps = 0 if wanted.only else hours_not_measured(wanted.start, wanted.end)
    return CostSummary(start=wanted.start, end=wanted.end, lines=lines, judges=judges, hours_not_measured=gaps)


def _line(
    *, kind: str, title: str, seconds: float, usd_per_hour: Decimal | None, price_source: str, basis: str
) -> CostLine:
    usd = None if usd_per_hour is None else (Decimal(seconds) / 3600 * usd_per_hour).quantize(MICRO_DOLLAR)
    return CostLine(
        kind=kind,
        title=title,
        seconds=seconds,
        usd_per_hour=usd_per_hour,
        price_source=NO_PRICE if usd is None else price_source,
        basis=basis,
        usd=usd,
    )


def billed_jobs(start: dt.datetime, end: dt.datetime) -> QuerySet[Job]:
    """The active tenant's jobs that count between two moments; those that run count now."""
    # Not one condition on the later of both: no index would serve it.
    billed = Q(finished_at__gte=start, finished_at__lt=end)
    if start <= timezone.now() < end:
        billed |= Q(finished_at=None)
    return Job.objects.filter(billed, billable_seconds__gt=0)


def job_lines(start: dt.datetime, end: dt.datetime) -> list[CostLine]:
    """Those that ended between two whole hours, and those that run, if the range holds the present."""
    jobs = billed_jobs(start, end)
    groups = jobs.order_by("kind").values("kind", "usd_per_hour", "price_source").annotate(sum=Sum("billable_seconds"))
    return [
        _line(
            kind=group["kind"],
            title=TITLES.get(group["kind"], group["kind"].replace("_", " ").capitalize()),
            seconds=group["sum"],
            usd_per_hour=group["usd_per_hour"],
            price_source=group["price_source"],
            basis=MEASURED,
        )
        for group in groups
    ]


def _serving_lines(wanted: Slice) -> list[CostLine]:
    """For each endpoint what was used of it, and the tenant's part of its idle time."""
    found = []
    for line in usage_of(wanted, By.ENDPOINT).lines[:]:
        figures, price = line.figures, _last_price(line.name.value, wanted)
        # An endpoint that does not tell its time is used by tokens.
        if figures.busy_us or figures.used_micros or figures.unpriced:
            found.append(
                CostLine(
                    kind="serving",
                    title=f"Serving on {line.label}",
                    seconds=figures.busy_us / 1e6 if figures.busy_us else None,
                    usd_per_hour=price.price_per_hour if price else None,
                    price_source=price.price_source if price and price.price_source else NO_PRICE,
                    basis=USED,
                    usd=figures.used_cost if figures.unpriced < figures.requests else None,
                    unpriced=figures.unpriced,
                )
            )
        if figures.idle_micros:
            found.append(
                CostLine(
                    kind="idle",
                    title=f"Idle time of {line.label}",
                    price_source=price.price_source if price else "",
                    basis=IDLE,
                    usd=figures.idle_cost,
                )
            )
    return found


def _last_price(endpoint: str, wanted: Slice) -> EndpointHour | None:
    hours = EndpointHour.objects.filter(endpoint=endpoint, hour__gte=wanted.start, hour__lt=wanted.end)
    return hours.order_by("-hour").first()
