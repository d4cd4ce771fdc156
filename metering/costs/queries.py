"""Costs: measured time or tokens, each at a price with its source. The total is the sum of the lines."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Q, Sum
from django.utils import timezone

from adapters.models import AdapterVersion
from evaluations.models import PaidTo
from jobs.models import Job
from jobs.prices import prices_of
from metering.costs.judging import call_lines, judge_lines
from metering.costs.lines import MICRO_DOLLAR, CostLine, JudgeLine
from metering.ledger.rollup import Sums
from metering.usage.queries import LineKey, UsageSummary, sums_by_line, whole_hours
from serving.endpoints.queries import backend_of, places

TITLES = {
    "training": "Training",
    "evaluation": "Evaluation",
    "dataset_check": "Checking datasets",
    "dataset_inspect": "Inspecting uploads",
}
"""By kind of job."""
NO_PRICE = "No price set"
MEASURED = "run time × price per hour"
BUSY = "time the endpoint worked for you × price per hour, without idle time"


@dataclass(frozen=True, kw_only=True)
class CostSummary:
    """Costs from `start` up to `end`, exclusive. `judges` are the parts of the lines that count calls."""

    start: dt.datetime
    end: dt.datetime
    lines: list[CostLine]
    judges: list[JudgeLine]

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
    def calls_without_cost(self) -> int:
        """Calls that are not in the total, because their cost is not known."""
        return sum(part.calls.without_cost for part in self.judges if part.paid_to != PaidTo.SERVING)

    @property
    def seconds_without_cost(self) -> float:
        """Time that is not in the total, because no price is known for it."""
        return sum(line.seconds for line in self.lines if line.seconds is not None and line.usd is None)

    def _paid_to(self, payee: PaidTo) -> Decimal:
        return sum((line.usd for line in self.lines if line.paid_to == payee and line.usd is not None), Decimal(0))


def costs_of(start: dt.datetime, end: dt.datetime, *, usage: UsageSummary | None = None) -> CostSummary:
    """The active tenant's costs. A job counts in the hour in which it ended, a running one now; a call as it returned.

    `usage` of the same range is not read again.
    """
    start, end = whole_hours(start, end)
    sums = usage.lines.sums if usage else sums_by_line(start, end)
    judges = judge_lines(start, end)
    lines = [*_job_lines(start, end), *call_lines(judges), *_serving_lines(sums)]
    return CostSummary(start=start, end=end, lines=lines, judges=judges)


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


def _job_lines(start: dt.datetime, end: dt.datetime) -> list[CostLine]:
    # Not one condition on the later of both: no index would serve it.
    billed = Q(finished_at__gte=start, finished_at__lt=end)
    if start <= timezone.now() < end:
        billed |= Q(finished_at=None)
    jobs = Job.objects.filter(billed, billable_seconds__gt=0)
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


def _serving_lines(sums: Mapping[LineKey, Sums]) -> list[CostLine]:
    """One line for each endpoint where the tenant is now. Usage of a deleted version is priced at the first."""
    sites = list(places())
    busy = {line: part.busy_ms for line, part in sums.items() if part.busy_ms}
    if not sites or not busy:
        return []
    # A single endpoint serves all, whatever its base.
    keys = {key for _, key in busy if key} if len(sites) > 1 else set()
    bases = dict(AdapterVersion.objects.filter(id__in=keys).values_list("id", "adapter__base_model"))
    base_of = {str(version_id): base_id for version_id, base_id in bases.items()}
    busy_ms = dict.fromkeys((site.id for site in sites), 0.0)
    for (alias, key), sum_ms in busy.items():
        base_id = base_of.get(key)
        own = (s for s in sites if s.base_model_id == base_id or (base_id is None and s.base_model.name == alias))
        busy_ms[next(own, sites[0]).id] += sum_ms
    served = [site for site in sites if busy_ms[site.id]]
    prices = prices_of([backend_of(site) for site in served])
    return [
        _line(
            kind="serving",
            title=f"Serving on {site.name}",
            seconds=busy_ms[site.id] / 1000,
            usd_per_hour=price.usd,
            price_source=price.source,
            basis=BUSY,
        )
        for site, price in zip(served, prices, strict=True)
    ]
