"""Reads of budgets with their counters."""

from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from django.db.models import Prefetch, QuerySet
from django.utils import timezone

from metering.budgets.names import name_of
from metering.models import Budget, BudgetMonth, Grain
from metering.usage.ranges import begin_of
from rest.errors import NotFound


@dataclass(frozen=True, kw_only=True)
class Counted:
    """A budget and the counter of the month that runs; None until it was counted."""

    budget: Budget
    month: BudgetMonth | None

    @property
    def name(self) -> str:
        return name_of(self.budget)

    @property
    def title(self) -> str:
        """The name at the beginning of a line."""
        return self.name if self.budget.by else "Everything"

    @property
    def spent(self) -> Decimal:
        return self.month.spent if self.month else Decimal(0)

    @property
    def share(self) -> float:
        """Of the budget; above 1 if it is overdrawn."""
        return float(self.spent / self.budget.usd)


def budgets() -> QuerySet[Budget]:
    """The active tenant's, each with the counter of this month as `this_month`."""
    this_month = BudgetMonth.objects.filter(start=begin_of(Grain.MONTH, timezone.now()))
    return Budget.objects.prefetch_related(Prefetch("months", this_month, to_attr="this_month"))


def counted(budget: Budget) -> Counted:
    """Of a budget from `budgets`."""
    months: list[BudgetMonth] = budget.this_month  # type: ignore[attr-defined]
    return Counted(budget=budget, month=months[0] if months else None)


def budget_by_id(budget_id: UUID) -> Budget:
    """Raises NotFound."""
    budget = budgets().filter(id=budget_id).first()
    if budget is None:
        raise NotFound("Budget not found.")
    return budget
