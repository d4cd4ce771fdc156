"""What each organisation was charged for a range, without what it pays to its own providers.

Use that was counted late is charged on a later statement, and counts in its own hours here, as it does for endpoints.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from django.db.models import DecimalField, F, Q, QuerySet, Sum
from django.db.models.functions import Cast

from evaluations.models import JudgeUsage, PaidTo
from jobs.models import Job
from metering.costs.storage import storage_parts
from metering.models import By, Grain, UsageTotal
from metering.spend.late import late_by_tenant
from metering.usage.figures import MICROS
from metering.usage.ranges import Piece, pieces
from tenants.models import Tenant

AMOUNT = DecimalField(max_digits=24, decimal_places=10)
CENT = Decimal("0.01")


@dataclass(frozen=True, kw_only=True)
class Charged:
    """Of one organisation. `before` is the total of the time that it is compared with."""

    tenant: Tenant
    requests: int
    serving: Decimal
    jobs: Decimal
    judging: Decimal
    storage: Decimal
    before: Decimal

    @property
    def total(self) -> Decimal:
        return self.serving + self.jobs + self.judging + self.storage

    @property
    def change(self) -> Decimal:
        """In US dollars, from the time before."""
        return self.total - self.before

    @property
    def fall(self) -> Decimal:
        """How much less it is than before."""
        return -self.change

    @property
    def change_share(self) -> float | None:
        """None if there was nothing before."""
        return float(self.change / self.before) if self.before else None


@dataclass
class _Sums:
    requests: int = 0
    serving: Decimal = Decimal(0)
    jobs: Decimal = Decimal(0)
    judging: Decimal = Decimal(0)
    storage: Decimal = Decimal(0)

    @property
    def total(self) -> Decimal:
        return self.serving + self.jobs + self.judging + self.storage


def charged(now: tuple[dt.datetime, dt.datetime], before: tuple[dt.datetime, dt.datetime]) -> Sequence[Charged]:
    """Every organisation that was charged in either range, the most first. Call it in the system scope."""
    current, earlier = _sums(*now), _sums(*before)
    tenants = Tenant.objects.in_bulk(list({*current, *earlier}))
    found = [
        Charged(
            tenant=tenant,
            requests=current[tenant_id].requests,
            serving=current[tenant_id].serving,
            jobs=current[tenant_id].jobs,
            judging=current[tenant_id].judging,
            storage=current[tenant_id].storage,
            before=earlier[tenant_id].total,
        )
        for tenant_id, tenant in tenants.items()
    ]
    return sorted(found, key=lambda one: (-one.total, one.tenant.name))


def movers(found: Sequence[Charged], most: int) -> list[Charged]:
    """Those whose charge changed most, up or down, by a cent or more."""
    changed = [one for one in found if abs(one.change) >= CENT]
    return sorted(changed, key=lambda one: -abs(one.change))[:most]


def _sums(start: dt.datetime, end: dt.datetime) -> dict[UUID, _Sums]:
    found: dict[UUID, _Sums] = defaultdict(_Sums)
    for piece in pieces(start, end, now=end):
        for tenant_id, requests, used, idle in _totals(piece):
            found[tenant_id].requests += requests
            found[tenant_id].serving += Decimal(used + idle) / MICROS
    for tenant_id, usd in late_by_tenant(start, end).items():
        found[tenant_id].serving += usd
    ended = Job.objects.filter(finished_at__gte=start, finished_at__lt=end, billable_seconds__gt=0, usd_per_hour__gt=0)
    amount = Sum(Cast(F("billable_seconds"), AMOUNT) * F("usd_per_hour") / 3600, output_field=AMOUNT)
    for tenant_id, usd in ended.order_by().values_list("tenant").annotate(amount=amount):
        found[tenant_id].jobs = usd
    calls = JudgeUsage.objects.filter(Q(hour__gte=start, hour__lt=end), paid_to=PaidTo.SITE)
    for tenant_id, usd in calls.order_by().values_list("tenant").annotate(Sum("usd")):
        found[tenant_id].judging = usd
    for part in storage_parts(start, end):
        found[part.rate.tenant_id].storage += Decimal(part.micros or 0) / MICROS
    return found


def _totals(piece: Piece) -> QuerySet[UsageTotal, tuple[UUID, int, int, int]]:
    # What the index begins with.
    tenants = list(Tenant.objects.values_list("id", flat=True))
    rows = UsageTotal.objects.filter(
        tenant__in=tenants, by=By.ALL, grain=Grain(piece.grain), start__gte=piece.start, start__lt=piece.end
    )
    summed = rows.order_by().values_list("tenant")
    return summed.annotate(Sum("requests"), Sum("used_micros"), Sum("idle_micros"))
