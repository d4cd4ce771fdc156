"""Every write to budgets."""

from decimal import Decimal
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from adapters.models import Adapter, BaseModel
from metering.budgets.counting import count_month
from metering.budgets.thresholds import reached
from metering.models import Budget, BudgetMonth, By, Grain
from metering.usage.ranges import begin_of
from rest.errors import Conflict, PortalError
from tenants.audit.services import record_event
from tenants.models import ApiKey, Tenant, User

MOST_BUDGETS = 50
HIGHEST = Decimal("999999999.99")
LONGEST_NOTE = 200


@transaction.atomic
def create_budget(
    *, tenant: Tenant, by: str, value: str, usd: Decimal, note: str = "", created_by: User | None = None
) -> Budget:
    """Add a budget, and count what this month has spent of it already.

    Raises PortalError: budget:amount, budget:unknown; or Conflict: budget:exists, budget:too_many.
    """
    amount = _checked(usd)
    _check_value(by, value)
    # Two at once would each see room for one more.
    Tenant.objects.select_for_update().get(pk=tenant.pk)
    if Budget.objects.filter(by=by, value=value).exists():
        raise Conflict("There is a budget for this already. Change it.", code="budget:exists", field="value")
    if Budget.objects.count() >= MOST_BUDGETS:
        raise Conflict(f"There can be {MOST_BUDGETS} budgets. Delete one first.", code="budget:too_many")
    note = note.strip()[:LONGEST_NOTE]
    budget: Budget = Budget.objects.create(by=by, value=value, usd=amount, note=note, created_by=created_by)
    record_event("budget.created", budget, after={"by": by, "value": value, "usd": str(amount)})
    _count(budget)
    return budget


@transaction.atomic
def change_budget(*, budget: Budget, usd: Decimal, note: str = "") -> Budget:
    """Change its amount from now on. What is spent stays; thresholds are told of anew if they are reached anew."""
    amount = _checked(usd)
    found = Budget.objects.select_for_update().get(pk=budget.pk)
    before = found.usd
    found.usd, found.note = amount, note.strip()[:LONGEST_NOTE]
    found.save(update_fields=["usd", "note"])
    if before != amount:
        record_event("budget.changed", found, before={"usd": str(before)}, after={"usd": str(amount)})
        row = BudgetMonth.objects.filter(budget=found, start=begin_of(Grain.MONTH, timezone.now())).first()
        if row is not None:
            row.reached, row.is_forecast_told = min(row.reached, reached(row.spent, amount)), False
            row.save(update_fields=["reached", "is_forecast_told"])
        _count(found)
    return found


@transaction.atomic
def delete_budget(*, budget: Budget) -> None:
    """Delete it with its counters; its alerts stay."""
    record_event("budget.deleted", budget, before={"by": budget.by, "value": budget.value, "usd": str(budget.usd)})
    budget.delete()


def _count(budget: Budget) -> None:
    now = timezone.now()
    count_month(budget, begin_of(Grain.MONTH, now), now)


def _checked(usd: Decimal) -> Decimal:
    if not usd.is_finite() or not 0 < usd <= HIGHEST or usd != usd.quantize(Decimal("0.01")):
        raise PortalError("Enter an amount of 0.01 or more, in whole cents.", code="budget:amount", field="usd")
    return usd.quantize(Decimal("0.01"))


def _check_value(by: str, value: str) -> None:
    if by == By.ALL:
        is_known = value == ""
    elif by == By.MODEL:
        is_known = Adapter.objects.filter(name=value).exists() or BaseModel.objects.filter(name=value).exists()
    elif by == By.KEY:
        is_known = _is_uuid(value) and ApiKey.objects.filter(id=value).exists()
    else:
        raise PortalError("Budgets are for everything, a model or an API key.", code="budget:unknown", field="by")
    if not is_known:
        raise PortalError("There is no such model or API key.", code="budget:unknown", field="value")


def _is_uuid(text: str) -> bool:
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False
