"""Reads of budgets with what was spent, as it was last counted."""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone

from metering.budgets.counting import Subject
from metering.budgets.months import month_of
from metering.budgets.names import EVERYTHING, labels_of
from metering.budgets.recipients import addresses_of
from metering.budgets.telling import subject_of
from metering.budgets.thresholds import reached
from metering.models import Budget, BudgetScope, Spend
from metering.usage.figures import MICROS
from rest.errors import NotFound
from tenants.models import Tenant
from tenants.scope import system_scope


@dataclass(frozen=True, kw_only=True)
class Standing:
    """A budget and what was spent of it this month; `spend` is None until the month is first counted.

    `recipients` are the addresses of the members who are told, empty if the owners are.
    """

    budget: Budget
    label: str
    spend: Spend | None
    recipients: Sequence[str]

    @property
    def subject(self) -> Subject:
        return subject_of(self.budget)

    @property
    def title(self) -> str:
        """Its label, which says of what kind it is."""
        return self.label if self.label == EVERYTHING else f"{BudgetScope(self.budget.scope).label} {self.label}"

    @property
    def spent(self) -> Decimal:
        """US dollars."""
        return self.spend.amount if self.spend else Decimal(0)

    @property
    def left(self) -> Decimal:
        """US dollars, negative once the budget is exceeded."""
        return self.budget.amount - self.spent

    @property
    def share(self) -> float:
        """Of the budget, above 1 once it is exceeded."""
        return float(self.spent / self.budget.amount)

    @property
    def bar(self) -> int:
        """Per cent, at most 100."""
        return min(100, int(100 * self.share))

    @property
    def threshold(self) -> int | None:
        """The highest that was reached, in per cent."""
        return reached(self.spend.micros, self.budget.amount_micros) if self.spend else None

    @property
    def forecast(self) -> Decimal | None:
        return _usd(self.spend.forecast_micros) if self.spend else None

    @property
    def forecast_low(self) -> Decimal | None:
        return _usd(self.spend.forecast_low_micros) if self.spend else None

    @property
    def forecast_high(self) -> Decimal | None:
        return _usd(self.spend.forecast_high_micros) if self.spend else None

    @property
    def used_up_on(self) -> dt.date | None:
        return self.spend.used_up_on if self.spend else None


def budgets() -> QuerySet[Budget]:
    """The active tenant's, oldest first."""
    return Budget.objects.select_related("set_by")


def budget_named(budget_id: UUID) -> Budget:
    """Raises NotFound."""
    found = budgets().filter(id=budget_id).first()
    if found is None:
        raise NotFound("Budget not found.")
    return found


def standings(found: Iterable[Budget]) -> list[Standing]:
    """Budgets with what was spent this month, in the same order."""
    rows = list(found)
    labels = labels_of(subject_of(budget) for budget in rows)
    this_month = Spend.objects.filter(month=month_of(timezone.now()))
    spends = {Subject(spend.scope, spend.value): spend for spend in this_month}
    addresses = addresses_of(rows)
    return [
        Standing(
            budget=budget,
            label=labels[subject_of(budget)],
            spend=spends.get(subject_of(budget)),
            recipients=sorted(addresses[person] for person in budget.recipients if person in addresses),
        )
        for budget in rows
    ]


def standing_of(budget: Budget) -> Standing:
    return standings([budget])[0]


def tenants_with_budgets() -> list[UUID]:
    """Organisations whose spend is counted."""
    with system_scope():
        return list(Tenant.objects.filter(id__in=Budget.objects.values("tenant")).values_list("id", flat=True))


def _usd(micros: int | None) -> Decimal | None:
    return None if micros is None else Decimal(micros) / MICROS
