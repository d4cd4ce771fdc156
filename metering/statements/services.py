"""Close months, and add adjustments to open statements. Nothing that was closed is changed."""

import datetime as dt
from decimal import Decimal

import structlog
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from metering.ledger.lock import wait_for_turn
from metering.ledger.months import month_of
from metering.models import Adjustment, AdjustmentKind, ClosedMonth, Statement
from metering.statements.document import sha256_of
from metering.statements.drafting import drafted
from metering.statements.errors import WrongAdjustment
from metering.statements.lock import hold
from metering.statements.months import end_of, key_of, title_of
from metering.statements.parts.lines import MICROS
from metering.statements.queries import blockers, open_months, tenants_in
from rest.errors import Conflict
from tenants.audit.services import record_event
from tenants.models import Tenant, User
from tenants.scope import system_scope, tenant_scope

MOST = Decimal(1_000_000)
LONGEST_REASON = 200

log = structlog.get_logger(__name__)


def begin_closing(*, month: dt.date, closed_by: User | None = None, is_by_hand: bool = True) -> ClosedMonth:
    """Close a month of the whole site: from now on its costs stay as they are. Closing it twice has no effect.

    Its statements follow with `finish_closing`. Raises Conflict: statement:cannot_close.
    """
    with system_scope(), transaction.atomic():
        # In this order everywhere: whoever shares an hour holds the first.
        wait_for_turn()
        hold()
        closed = ClosedMonth.objects.filter(month=month).first()
        if closed is not None:
            return closed
        if found := blockers(month):
            raise Conflict(found[0].text, code="statement:cannot_close", field="month")
        closed = ClosedMonth.objects.create(
            month=month, closed_at=timezone.now(), closed_by=closed_by, is_by_hand=is_by_hand
        )
    log.info("month_closed", month=key_of(month), by_hand=is_by_hand)
    return closed


def finish_closing(*, month: dt.date) -> int:
    """Write the statements of a closed month that are missing, each in a transaction. Returns how many.

    May be killed at any time and run again, also twice at once.
    """
    closed = ClosedMonth.objects.get(month=month)
    with system_scope():
        written = set(Statement.objects.filter(month=month).values_list("tenant_id", flat=True))
        missing = [tenant for tenant in tenants_in(month) if tenant.id not in written]
    count = sum(_write(tenant, closed) for tenant in missing)
    ClosedMonth.objects.filter(month=month, finished_at=None).update(finished_at=timezone.now())
    return count


def close_due() -> list[dt.date]:
    """Finish what was begun, and close the months that are due. Returns those that were closed."""
    for month in ClosedMonth.objects.filter(finished_at=None).order_by("month").values_list("month", flat=True):
        finish_closing(month=month)
    closed: list[dt.date] = []
    if not settings.STATEMENT_CLOSING_DAYS:
        return closed
    for month in open_months():
        if not _is_due(month) or blockers(month):
            break
        begin_closing(month=month, is_by_hand=False)
        finish_closing(month=month)
        closed.append(month)
    return closed


@transaction.atomic
def add_adjustment(
    *, tenant: Tenant, month: dt.date, amount: Decimal, reason: str, created_by: User | None = None
) -> Adjustment:
    """Add an amount in US dollars to the tenant's statement of an open month, or take it off: below 0, it is a credit.

    Call it in the tenant's scope. Raises WrongAdjustment with `field`; Conflict: statement:closed.
    """
    hold()
    if ClosedMonth.objects.filter(month=month).exists():
        text = f"{title_of(month)} is closed. Add the adjustment to an open month, and name {title_of(month)} in it."
        raise Conflict(text, code="statement:closed", field="month")
    if not month_of(tenant.created_at) <= month <= month_of(timezone.now()):
        raise WrongAdjustment(f"{tenant} has no statement of {title_of(month)}.", field="month")
    adjustment = Adjustment.objects.create(
        tenant=tenant,
        kind=AdjustmentKind.CREDIT,
        month=month,
        micros=_micros(amount),
        reason=_reason(reason),
        created_by=created_by,
    )
    after = {"month": key_of(month), "micros": adjustment.micros, "reason": adjustment.reason}
    record_event("statement.adjusted", adjustment, after=after)
    return adjustment


def _write(tenant: Tenant, closed: ClosedMonth) -> bool:
    """Write a tenant's statement, unless somebody was faster."""
    with tenant_scope(tenant.id), transaction.atomic():
        hold()
        if Statement.objects.filter(month=closed.month).exists():
            return False
        document = drafted(tenant, closed.month, closed_at=closed.closed_at)
        stored = document.as_json()
        statement = Statement.objects.create(
            tenant=tenant,
            month=closed.month,
            number=document.number,
            document=stored,
            sha256=sha256_of(stored),
            due_micros=document.due_micros,
            provider_micros=document.provider_micros,
            closed_at=closed.closed_at,
        )
        after = {"month": document.month, "due_micros": statement.due_micros, "sha256": statement.sha256}
        record_event("statement.closed", statement, after=after)
    return True


def _is_due(month: dt.date) -> bool:
    return timezone.now() >= end_of(month) + dt.timedelta(days=settings.STATEMENT_CLOSING_DAYS)


def _micros(amount: Decimal) -> int:
    if not amount.is_finite() or not amount or abs(amount) > MOST or amount != round(amount, 2):
        text = f"Enter an amount other than 0, up to {MOST:,}, with at most two decimal places. Credits are below 0."
        raise WrongAdjustment(text, field="amount")
    return int(amount * MICROS)


def _reason(value: str) -> str:
    found = " ".join(value.replace("\0", " ").split())
    if not found or len(found) > LONGEST_REASON:
        text = f"Say what the adjustment is for, in at most {LONGEST_REASON} characters."
        raise WrongAdjustment(text, field="reason")
    return found
