"""Every write to budgets and to their counter."""

import datetime as dt
from collections.abc import Collection
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from metering.alerts.services import end_alerts
from metering.budgets.counting import Counted, Subject, by_day, counted_in, micros_of
from metering.budgets.errors import BudgetExists, WrongBudget
from metering.budgets.forecast import READ_BACK, Forecast, forecast
from metering.budgets.months import month_of, months_to_count
from metering.budgets.telling import subject_of, tell
from metering.models import AlertKind, Budget, Spend
from tenants.audit.services import record_event
from tenants.models import Membership, Tenant, User
from tenants.permissions import Action
from tenants.scope import tenant_scope

HIGHEST = Decimal(100_000_000)
LOWEST = Decimal("0.01")
MOST_NOTE = 300
MOST_BUDGETS = 200
COUNTED = [
    "micros", "requests_without_cost", "seconds_without_cost", "calls_without_cost", "gb_months_without_cost",
    "forecast_micros", "forecast_low_micros", "forecast_high_micros", "used_up_on", "counted_at",
]  # fmt: skip


@transaction.atomic
def set_budget(
    *,
    tenant: Tenant,
    subject: Subject,
    amount: Decimal,
    note: str = "",
    recipients: Collection[int] = (),
    set_by: User | None,
) -> Budget:
    """Set a new budget, in US dollars a calendar month (UTC). It starts with what the month has cost so far.

    Raises WrongBudget with `field`; BudgetExists.
    """
    _wait_for_turn(tenant.pk)
    if Budget.objects.filter(scope=subject.scope, value=subject.value).exists():
        raise BudgetExists("There is a budget for this already. Change its amount instead.", field="subject")
    if Budget.objects.count() >= MOST_BUDGETS:
        raise WrongBudget(f"There can be {MOST_BUDGETS} budgets. Delete one first.")
    budget: Budget = Budget.objects.create(
        scope=subject.scope,
        value=subject.value,
        amount_micros=_amount(amount),
        note=_note(note),
        recipients=_members(recipients),
        set_by=set_by,
        set_at=timezone.now(),
    )
    record_event("budget.set", budget, after=_recorded(budget))
    _count(timezone.now())
    return budget


@transaction.atomic
def change_budget(
    *,
    budget: Budget,
    amount: Decimal | None = None,
    note: str | None = None,
    recipients: Collection[int] | None = None,
    set_by: User | None,
) -> Budget:
    """Change what is given. What was used stays. Raises WrongBudget with `field`."""
    _wait_for_turn(budget.tenant_id)
    budget = Budget.objects.get(pk=budget.pk)
    before = _recorded(budget)
    budget.amount_micros = budget.amount_micros if amount is None else _amount(amount)
    budget.note = budget.note if note is None else _note(note)
    budget.recipients = budget.recipients if recipients is None else _members(recipients)
    if before == _recorded(budget):
        return budget
    budget.set_by, budget.set_at = set_by, timezone.now()
    budget.save(update_fields=["amount_micros", "note", "recipients", "set_by", "set_at"])
    record_event("budget.changed", budget, before=before, after=_recorded(budget))
    _count(timezone.now())
    return budget


@transaction.atomic
def delete_budget(*, budget: Budget) -> None:
    """Delete it and end its alerts. What was spent stays counted for the months so far."""
    _wait_for_turn(budget.tenant_id)
    record_event("budget.deleted", budget, before=_recorded(budget))
    for kind in (AlertKind.BUDGET, AlertKind.FORECAST):
        end_alerts(kind=kind, subject=str(budget.id))
    Budget.objects.filter(pk=budget.pk).delete()


def count_spend(*, tenant_id: UUID) -> None:
    """Count an organisation's months anew and tell of what was reached. Twice is the same as once.

    The count, its alerts, their e-mails and events are one transaction: a worker that dies leaves all or nothing.
    """
    with tenant_scope(tenant_id), transaction.atomic():
        _wait_for_turn(tenant_id)
        _count(timezone.now())


def _wait_for_turn(tenant_id: UUID) -> None:
    """Two at once could both find that a threshold was not told yet."""
    Tenant.objects.select_for_update(no_key=True).get(pk=tenant_id)


def _count(now: dt.datetime) -> None:
    budgets = list(Budget.objects.all())
    if not budgets:
        return
    subjects = [subject_of(budget) for budget in budgets]
    today, this_month = now.astimezone(dt.UTC).date(), month_of(now)
    days = by_day(subjects, today - dt.timedelta(days=READ_BACK), today + dt.timedelta(days=1))
    for month in months_to_count(now):
        counted = counted_in(month, subjects)
        spends = []
        for budget, subject in zip(budgets, subjects, strict=True):
            found = None
            if month == this_month:
                spent, amount = counted[subject].micros, budget.amount_micros
                found = forecast(spent=spent, amount=amount, days=days[subject], now=now)
            spends.append(_spend(subject, month, counted[subject], found, now))
        Spend.objects.bulk_create(
            spends, update_conflicts=True, unique_fields=["tenant", "scope", "value", "month"], update_fields=COUNTED
        )
        if month == this_month:
            tell(list(zip(budgets, spends, strict=True)))


def _spend(subject: Subject, month: dt.date, counted: Counted, found: Forecast | None, now: dt.datetime) -> Spend:
    return Spend(
        scope=subject.scope,
        value=subject.value,
        month=month,
        micros=counted.micros,
        requests_without_cost=counted.requests_without_cost,
        seconds_without_cost=counted.seconds_without_cost,
        calls_without_cost=counted.calls_without_cost,
        gb_months_without_cost=counted.gb_months_without_cost,
        forecast_micros=found.micros if found else None,
        forecast_low_micros=found.low if found else None,
        forecast_high_micros=found.high if found else None,
        used_up_on=found.used_up_on if found else None,
        counted_at=now,
    )


def _amount(amount: Decimal) -> int:
    if not amount.is_finite() or not LOWEST <= amount <= HIGHEST:
        raise WrongBudget(f"Enter an amount from {LOWEST} to {HIGHEST:,} US dollars.", field="amount")
    if amount != round(amount, 2):
        raise WrongBudget("Use at most 2 decimal places.", field="amount")
    return micros_of(amount)


def _note(note: str) -> str:
    found = " ".join(note.replace("\0", " ").split())
    if len(found) > MOST_NOTE:
        raise WrongBudget(f"Use at most {MOST_NOTE} characters.", field="note")
    return found


def _members(people: Collection[int]) -> list[int]:
    chosen = set(people)
    members = Membership.objects.filter(user__in=chosen)
    known = {member.user_id for member in members if member.may(Action.USAGE_VIEW)}
    if chosen != known:
        raise WrongBudget("Choose members who may see usage.", field="recipients")
    return sorted(chosen)


def _recorded(budget: Budget) -> dict[str, Any]:
    return {
        "scope": budget.scope,
        "value": budget.value,
        "amount_usd": str(budget.amount),
        "note": budget.note,
        "recipients": budget.recipients,
    }
