"""A month of bills beside what the site counted, by day and endpoint, and by job."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from uuid import UUID

from django.db.models import Sum
from django.db.models.functions import Trunc

from jobs.models import Job
from metering.costs.queries import TITLES
from metering.models import BillImport, BillLine, BillSubject, EndpointHour, ExchangeRate, Grain
from metering.prices.book import Book
from metering.prices.finder import CURRENCY
from metering.reconciliation.ours import cloud_backends, cloud_endpoints
from metering.reconciliation.rows import CREDITS
from metering.usage.ranges import begin_of, next_of
from tenants.scope import system_scope

HOUR_MS = Decimal(3_600_000)
MICROS = Decimal(1_000_000)
INSTANCE = (":ml.",)
"""In the usage type of an instance's hours, as in EUW1-Host:ml.g5.2xlarge."""
NOT_USED = frozenset({"SavingsPlanNegation", "EdpDiscount", "PrivateRateDiscount", "BundledDiscount", "Discount"})
"""Types of lines that repeat the quantity of others."""
CENT = Decimal("0.01")
NONE = Decimal(0)


@dataclass
class Billed:
    """In the site's currency. `hours` are those of instances, at `listed` before and `paid` after discounts."""

    total: Decimal = Decimal(0)
    hours: Decimal = Decimal(0)
    listed: Decimal = Decimal(0)
    paid: Decimal = Decimal(0)
    credits: Decimal = Decimal(0)
    other: Decimal = Decimal(0)
    lacks_rate: set[str] = field(default_factory=set)


@dataclass
class Site:
    """What the site counted; `cost` is without hours that have no price."""

    cost: Decimal = Decimal(0)
    hours: Decimal = Decimal(0)
    hours_without_price: Decimal = Decimal(0)


@dataclass(frozen=True, kw_only=True)
class Compared:
    """A day of an endpoint, a job on the day when it ended, or a day of what is not this site's.

    `billed` is None where the bill has nothing of it, `site` where the site counted nothing.
    """

    day: dt.datetime
    subject: BillSubject
    name: str
    billed: Billed | None
    site: Site | None
    began_before: bool = False

    @property
    def bill_cost(self) -> Decimal | None:
        """None where it is not known in the site's currency."""
        if self.billed is None:
            return Decimal(0)
        return None if self.billed.lacks_rate else self.billed.total

    @property
    def site_cost(self) -> Decimal | None:
        """None where no hour of it has a price."""
        if self.site is None:
            return Decimal(0)
        nothing_known = self.site.hours_without_price and self.site.hours_without_price >= self.site.hours
        return None if nothing_known else self.site.cost

    @property
    def difference(self) -> Decimal | None:
        """Bill less site."""
        if self.bill_cost is None or self.site_cost is None:
            return None
        return self.bill_cost - self.site_cost

    @property
    def percent(self) -> Decimal | None:
        """Of what the site counted; None where that is nothing."""
        return percent_of(self.difference, self.site_cost)


@dataclass(frozen=True, kw_only=True)
class MonthSummary:
    """A month's totals: `bill` and `site` of what is this site's, `others` what the bill has beside it."""

    month: dt.datetime
    bill: Decimal
    site: Decimal
    others: Decimal
    unknown: int

    @property
    def difference(self) -> Decimal:
        """Bill less site."""
        return self.bill - self.site

    @property
    def percent(self) -> Decimal | None:
        return percent_of(self.difference, self.site)


def percent_of(difference: Decimal | None, whole: Decimal | None) -> Decimal | None:
    return None if difference is None or not whole else difference / whole * 100


def imports() -> list[BillImport]:
    """The newest first."""
    return list(BillImport.objects.select_related("imported_by")[:20])


def months() -> list[dt.datetime]:
    """Those that bills were imported of, the newest first."""
    return list(BillLine.objects.order_by("-month").values_list("month", flat=True).distinct())


def summary_of(month: dt.datetime, rows: Iterable[Compared]) -> MonthSummary:
    """The totals of a month's rows. Rows whose difference is not known are counted, and in no total."""
    known, unknown, others = [], 0, Decimal(0)
    for row in rows:
        if row.subject == BillSubject.OTHER:
            others += row.bill_cost or 0
        elif row.difference is None:
            unknown += 1
        else:
            known.append(row)
    return MonthSummary(
        month=month,
        bill=sum((row.bill_cost or Decimal(0) for row in known), Decimal(0)),
        site=sum((row.site_cost or Decimal(0) for row in known), Decimal(0)),
        others=others,
        unknown=unknown,
    )


def compared(month: dt.datetime) -> list[Compared]:
    """By day, the newest first; of the days that the bill has, and those between them."""
    end = next_of(Grain.MONTH, month)
    billed, jobs_billed = _billed(month)
    found = [
        Compared(day=day, subject=subject, name=name, billed=billed.get((day, subject, name)), site=None)
        for day, subject, name in billed
        if subject == BillSubject.OTHER
    ]
    counted = _endpoints(month, _last_day(billed, end))
    for day, name in sorted({*counted, *(key[::2] for key in billed if key[1] == BillSubject.ENDPOINT)}):
        found.append(
            Compared(
                day=day,
                subject=BillSubject.ENDPOINT,
                name=name,
                billed=billed.get((day, BillSubject.ENDPOINT, name)),
                site=counted.get((day, name)),
            )
        )
    found += _jobs(month, end, jobs_billed)
    order = [BillSubject.ENDPOINT, BillSubject.JOB, BillSubject.OTHER]
    return sorted(found, key=lambda row: (-row.day.timestamp(), order.index(row.subject), row.name))


Key = tuple[dt.datetime, BillSubject, str]


def _billed(month: dt.datetime) -> tuple[dict[Key, Billed], dict[str, Billed]]:
    """Of endpoints and others by day; of jobs all together."""
    book = Book(currency=CURRENCY, rates=list(ExchangeRate.objects.all()))
    lines = BillLine.objects.filter(month=month).annotate(day=Trunc("start", "day", tzinfo=dt.UTC))
    sums = lines.order_by("day").values_list("day", "subject", "subject_name", "usage_type", "line_type", "currency")
    found: dict[Key, Billed] = defaultdict(Billed)
    jobs: dict[str, Billed] = defaultdict(Billed)
    for day, subject, name, usage_type, line_type, currency, quantity, listed, net in sums.annotate(
        Sum("quantity"), Sum("listed_cost"), Sum("net_cost")
    ):
        billed = jobs[name] if subject == BillSubject.JOB else found[day, BillSubject(subject), name]
        rate = book.rate_at(currency, day)
        if rate is None:
            billed.lacks_rate.add(currency)
            continue
        billed.total += net * rate
        if line_type in CREDITS:
            billed.credits += net * rate
        elif not any(mark in usage_type for mark in INSTANCE):
            billed.other += net * rate
        else:
            billed.paid += net * rate
            if line_type not in NOT_USED:
                billed.hours += quantity
                billed.listed += listed * rate
    return found, jobs


def _last_day(billed: Iterable[Key], end: dt.datetime) -> dt.datetime:
    """Bills come in late: what was counted after their last day is not compared."""
    last = max((key[0] for key in billed), default=None)
    return end if last is None else min(end, next_of(Grain.DAY, last))


def _endpoints(start: dt.datetime, end: dt.datetime) -> dict[tuple[dt.datetime, str], Site]:
    names = [name for name, _, _ in cloud_endpoints()]
    found: dict[tuple[dt.datetime, str], Site] = defaultdict(Site)
    hours = EndpointHour.objects.filter(endpoint__in=names, hour__gte=start, hour__lt=end, instance_ms__gt=0)
    for endpoint, hour, instance_ms, micros in hours.order_by("hour").values_list(
        "endpoint", "hour", "instance_ms", "micros"
    ):
        site = found[begin_of(Grain.DAY, hour), endpoint]
        site.hours += instance_ms / HOUR_MS
        if micros is None:
            site.hours_without_price += instance_ms / HOUR_MS
        else:
            site.cost += micros / MICROS
    return found


def _jobs(start: dt.datetime, end: dt.datetime, billed: dict[str, Billed]) -> list[Compared]:
    """Those that the bill has, and those that ended in the month."""
    found = []
    with system_scope():
        rows = {job.id: job for job in Job.objects.filter(id__in=[UUID(name) for name in billed])}
        ended = Job.objects.filter(
            backend__in=cloud_backends(), finished_at__gte=start, finished_at__lt=end, billable_seconds__gt=0
        )
        rows.update({job.id: job for job in ended})
    for job in rows.values():
        hours = Decimal(job.billable_seconds) / 3600
        cost = hours * (job.usd_per_hour or 0)
        at = min(max(job.finished_at or job.created_at, start), next_of(Grain.MONTH, start) - dt.timedelta(hours=1))
        found.append(
            Compared(
                day=begin_of(Grain.DAY, at),
                subject=BillSubject.JOB,
                name=f"{TITLES.get(job.kind, job.kind)} {str(job.id)[:8]}",
                billed=billed.get(str(job.id)),
                site=Site(
                    cost=cost, hours=hours, hours_without_price=hours if job.usd_per_hour is None else Decimal(0)
                ),
                began_before=(job.started_at or job.created_at) < start or (job.finished_at or end) >= end,
            )
        )
    return found
