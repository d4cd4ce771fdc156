"""Reads of statements. Those of a tenant need its scope, those of the site are for operators only."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Exists, Min, OuterRef, Q
from django.utils import timezone

from metering.ledger.months import month_of, next_month
from metering.models import By, ClosedMonth, EndpointHour, Grain, HourlyUsage, Statement, UsageTotal
from metering.statements.document import Document, sha256_of
from metering.statements.drafting import drafted
from metering.statements.months import (
    end_of,
    key_of,
    month_before,
    months_between,
    parsed_month,
    start_of,
    title_of,
)
from metering.statements.shown import exact, rounded
from rest.errors import NotFound
from serving.models import Endpoint, EndpointState
from tenants.models import Tenant
from tenants.scope import system_scope, tenant_scope

SETTLES = dt.timedelta(hours=1)
"""How long after its end a month can't be closed: what ended in it may still be on its way."""
BILLED = (EndpointState.IN_SERVICE, EndpointState.CHANGING, EndpointState.DELETING)


@dataclass(frozen=True, kw_only=True)
class Found:
    """A statement, closed or as it is now. `sha256` is empty while it is open."""

    month: dt.date
    document: Document
    sha256: str = ""

    @property
    def key(self) -> str:
        return key_of(self.month)

    @property
    def title(self) -> str:
        return title_of(self.month)

    @property
    def is_running(self) -> bool:
        """Whether its month is not over."""
        return timezone.now() < end_of(self.month)

    @property
    def is_intact(self) -> bool:
        """Whether a closed document is the one that was closed."""
        return not self.sha256 or sha256_of(self.document.as_json()) == self.sha256

    @property
    def closed_at(self) -> dt.datetime | None:
        return dt.datetime.fromisoformat(self.document.closed_at) if self.document.closed_at else None

    @property
    def due(self) -> Decimal:
        """To the cent."""
        return rounded(self.document.due_micros)

    @property
    def exact_due(self) -> Decimal | None:
        return exact(self.document.due_micros)

    @property
    def provider(self) -> Decimal:
        return rounded(self.document.provider_micros)


def months_of(tenant: Tenant) -> list[dt.date]:
    """The months that the active tenant has statements of, the latest first: from its first use to now."""
    now = month_of(timezone.now())
    usage = UsageTotal.objects.filter(by=By.ALL, grain=Grain.MONTH).order_by("start").values_list("start", flat=True)
    used = usage.first()
    first = min(month_of(tenant.created_at), month_of(used) if used else now)
    return months_between(first, now)


def statement_of(tenant: Tenant, key: str) -> Found:
    """The active tenant's statement of a month such as 2026-10. Raises NotFound."""
    missing = "There is no statement of this month."
    try:
        month = parsed_month(key)
    except ValueError:
        raise NotFound(missing) from None
    if month not in months_of(tenant):
        raise NotFound(missing)
    return next(iter(statements_of(tenant, [month])))


def statements_of(tenant: Tenant, months: Iterable[dt.date]) -> list[Found]:
    """The active tenant's statements of these months, in their order. Open ones are made now."""
    wanted = list(months)
    closed = {row.month: row for row in Statement.objects.filter(month__in=wanted)}
    found = []
    for month in wanted:
        row = closed.get(month)
        if row is not None:
            found.append(Found(month=month, document=Document.of_json(row.document), sha256=row.sha256))
        else:
            found.append(Found(month=month, document=drafted(tenant, month)))
    return found


@dataclass(frozen=True, kw_only=True)
class Row:
    """An organisation's statement of a month, for the operator, who sees no line of it."""

    tenant: Tenant
    is_open: bool
    due_micros: int
    provider_micros: int
    unknown: int

    @property
    def due(self) -> Decimal:
        return rounded(self.due_micros)

    @property
    def provider(self) -> Decimal:
        return rounded(self.provider_micros)


@dataclass(frozen=True, kw_only=True)
class Blocker:
    """Why a month can't be closed now."""

    text: str


def tenants_in(month: dt.date) -> list[Tenant]:
    """Those that were there before the month ended, by name. In the scope of the site."""
    return list(Tenant.objects.filter(created_at__lt=end_of(month)).order_by("name", "id"))


def row_of(tenant: Tenant, month: dt.date) -> Row:
    """What an organisation's statement sums to."""
    with tenant_scope(tenant.id):
        [found] = statements_of(tenant, [month])
    document = found.document
    return Row(
        tenant=tenant,
        is_open=document.is_open,
        due_micros=document.due_micros,
        provider_micros=document.provider_micros,
        unknown=document.unknown,
    )


def last_closed() -> ClosedMonth | None:
    return ClosedMonth.objects.order_by("-month").first()


def first_month() -> dt.date:
    """The first month that the site can have statements of. In the scope of the site."""
    created = Tenant.objects.aggregate(Min("created_at"))["created_at__min"]
    used = UsageTotal.objects.filter(by=By.ALL, grain=Grain.MONTH).aggregate(Min("start"))["start__min"]
    return month_of(min([timezone.now(), *filter(None, (created, used))]))


def open_months() -> list[dt.date]:
    """Those that are not closed, up to the running one, the earliest first."""
    last = last_closed()
    with system_scope():
        first = next_month(last.month) if last else first_month()
    return months_between(first, month_of(timezone.now()))[::-1]


def site_months() -> list[dt.date]:
    """All months of the site up to now, the latest first."""
    with system_scope():
        first = first_month()
    closed = ClosedMonth.objects.order_by("month").values_list("month", flat=True).first()
    return months_between(min(first, closed or first), month_of(timezone.now()))


def blockers(month: dt.date) -> list[Blocker]:
    """What has to happen before a month can be closed, the first first. A month that is closed has none."""
    if ClosedMonth.objects.filter(month=month).exists():
        return []
    now = timezone.now()
    if now < end_of(month):
        return [Blocker(text=f"{title_of(month)} isn’t over.")]
    if now < end_of(month) + SETTLES:
        return [Blocker(text=f"{title_of(month)} ended less than an hour ago. Wait until everything has arrived.")]
    with system_scope():
        return [*_months_before(month), *_unmeasured(month), *_unshared(month)]


def _months_before(month: dt.date) -> Iterable[Blocker]:
    first = open_months()[0]
    if first < month:
        yield Blocker(text=f"{title_of(first)} is still open. Months are closed in order.")


def _unmeasured(month: dt.date) -> Iterable[Blocker]:
    """An endpoint that is there is measured every minute."""
    measured = EndpointHour.objects.filter(endpoint=OuterRef("name"), measured_until__gte=end_of(month))
    endpoints = Endpoint.objects.filter(state__in=BILLED, created_at__lt=end_of(month)).exclude(Exists(measured))
    for name in endpoints.order_by("name").values_list("name", flat=True):
        yield Blocker(text=f"The hours of {name} are not measured to the end of the month. The worker does so.")


def _unshared(month: dt.date) -> Iterable[Blocker]:
    """Hours without a price are no reason: their use is listed as unknown."""
    hours = EndpointHour.objects.filter(hour__gte=start_of(month), hour__lt=end_of(month))
    late = HourlyUsage.objects.filter(endpoint=OuterRef("endpoint"), hour=OuterRef("hour"), unpriced__gt=0)
    never = Q(allocated_at=None) & (Q(price_per_hour__isnull=False) | Q(method=""))
    count = hours.filter(never | Q(Exists(late), price_per_hour__isnull=False)).count()
    if count:
        noun = "hour of an endpoint is" if count == 1 else "hours of endpoints are"
        yield Blocker(text=f"{count:,} {noun} still to be shared. The worker does so within minutes.")


def changes(found: list[Found]) -> dict[str, float]:
    """By month, the share by which each amount due differs from that of the month before; of months that are over."""
    by_month = {one.month: one for one in found}
    shares = {}
    for one in found:
        before = by_month.get(month_before(one.month))
        if before is not None and before.document.due_micros > 0 and not one.is_running:
            shares[one.key] = one.document.due_micros / before.document.due_micros - 1
    return shares
