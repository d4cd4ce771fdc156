"""Counts what is spent of budgets, and tells when a threshold is reached. Counting twice changes nothing."""

import datetime as dt
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from metering.alerts.services import raise_alert
from metering.budgets.events import FORECAST, REACHED
from metering.budgets.forecast import LOOKS_BACK, Forecast, forecast
from metering.budgets.names import name_of
from metering.budgets.spending import spent, spent_by_day
from metering.budgets.thresholds import reached
from metering.models import Budget, BudgetMonth, Grain
from metering.usage.figures import MICROS
from metering.usage.ranges import DAY, begin_of, next_of
from tenants.scope import system_scope, tenant_scope

STILL_OPEN = 2 * DAY
"""After its end a month is still counted, since its last hours are shared later."""


def count_all_budgets() -> int:
    """Count every organisation's, the month that runs and the one that has just ended. Returns how many counters."""
    with system_scope():
        tenants = list(Budget.objects.order_by().values_list("tenant", flat=True).distinct())
    return sum(_count_of(tenant_id) for tenant_id in tenants)


def _count_of(tenant_id: UUID) -> int:
    now = timezone.now()
    current = begin_of(Grain.MONTH, now)
    months = [current] if now - current > STILL_OPEN else [begin_of(Grain.MONTH, current - DAY), current]
    with tenant_scope(tenant_id):
        # A budget counts the months that it was there for.
        found = [(budget, start) for budget in Budget.objects.all() for start in months
                 if budget.created_at < next_of(Grain.MONTH, start)]  # fmt: skip
        for budget, start in found:
            count_month(budget, start, now)
    return len(found)


@transaction.atomic
def count_month(budget: Budget, start: dt.datetime, now: dt.datetime) -> BudgetMonth | None:
    """Write the counter of the month that begins at `start`. None if the budget is gone."""
    locked = Budget.objects.select_for_update().filter(pk=budget.pk).first()
    if locked is None:
        return None
    end = next_of(Grain.MONTH, start)
    total = spent(locked, start, end)
    row, _ = BudgetMonth.objects.get_or_create(budget=locked, start=start, defaults={"counted_at": now})
    row.micros, row.unknown, row.counted_at = int(total.usd * MICROS), total.unknown, now
    expected = _expected(locked, row, end, now) if now < end else None
    row.forecast_micros = int(expected.usd * MICROS) if expected else None
    row.forecast_low_micros = int(expected.low * MICROS) if expected else None
    row.forecast_high_micros = int(expected.high * MICROS) if expected else None
    row.exhausted_on = expected.exhausted_on if expected else None
    _tell(locked, row, expected)
    row.save()
    return row


def _expected(budget: Budget, row: BudgetMonth, end: dt.datetime, now: dt.datetime) -> Forecast | None:
    since = begin_of(Grain.DAY, now - LOOKS_BACK)
    days = spent_by_day(budget, since, next_of(Grain.DAY, begin_of(Grain.DAY, now)))
    return forecast(days, spent=row.spent, budget=budget.usd, now=now, end=end.date(), since=since.date())


def _tell(budget: Budget, row: BudgetMonth, expected: Forecast | None) -> None:
    """Only of the highest threshold that is newly reached; then of the forecast, while the budget lasts."""
    name, month = name_of(budget), f"{row.start:%B %Y}"
    data: dict[str, Any] = {
        "budget": str(budget.id),
        "by": budget.by,
        "value": budget.value,
        "month": f"{row.start:%Y-%m}",
        "budget_usd": str(budget.usd),
        "spent_usd": f"{row.spent:.6f}",
    }
    now_reached = reached(row.spent, budget.usd)
    if now_reached > row.reached:
        row.reached = now_reached
        raise_alert(
            kind=REACHED.name,
            key=f"budget:{budget.id}:{row.start:%Y-%m}:{now_reached}:{budget.usd}",
            title=f"{now_reached}% of the budget for {name} is used",
            text=f"{_usd(row.spent)} of {_usd(budget.usd)} were spent in {month}.",
            data={**data, "threshold_percent": now_reached},
        )
    if expected and not row.is_forecast_told and expected.exhausted_on and row.reached < 100:
        row.is_forecast_told = True
        day = expected.exhausted_on
        raise_alert(
            kind=FORECAST.name,
            key=f"budget:{budget.id}:{row.start:%Y-%m}:forecast:{budget.usd}",
            title=f"The budget for {name} may be used up on {day.day} {day:%B}",
            text=f"{_usd(row.spent)} of {_usd(budget.usd)} were spent so far. At this rate it will be about "
            f"{_usd(expected.usd)} at the end of {month}.",
            data={**data, "forecast_usd": f"{expected.usd:.6f}", "exhausted_on": day.isoformat()},
        )


def _usd(amount: Decimal) -> str:
    return f"${amount:,.2f}"
