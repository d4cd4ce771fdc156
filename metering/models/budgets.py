"""Budgets, and how much of each is spent."""

from decimal import Decimal

from django.core.validators import MinValueValidator
from django.db import models

from metering.models.usage import By
from tenants.isolation import TenantForeignKey
from tenants.models import TenantModel, User


class Budget(TenantModel):
    """US dollars for each calendar month (UTC): for everything, for one model, or for one API key."""

    by = models.CharField(max_length=8, choices=By, blank=True)
    value = models.CharField(max_length=80, blank=True, help_text="name of the model, or id of the key")
    usd = models.DecimalField(max_digits=12, decimal_places=2, validators=[MinValueValidator(Decimal("0.01"))])
    note = models.CharField(max_length=200, blank=True)
    created_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")

    class Meta:
        ordering = ("by", "value")
        constraints = (models.UniqueConstraint(fields=("tenant", "by", "value"), name="budget_once"),)

    def __str__(self) -> str:
        return self.value or "Everything"


class BudgetMonth(TenantModel):
    """The counter of a budget in a month: whoever shows or checks what is spent reads this row.

    `unknown` counts requests, calls and runs without a known cost, which are not in `micros`. `reached` is the highest
    threshold, in per cent, that was told of.
    """

    budget = TenantForeignKey(Budget, models.CASCADE, related_name="months")
    start = models.DateTimeField()
    micros = models.BigIntegerField(default=0)
    unknown = models.BigIntegerField(default=0)
    reached = models.PositiveSmallIntegerField(default=0)
    forecast_micros = models.BigIntegerField(null=True, help_text="at the month's end; null: too early to tell")
    forecast_low_micros = models.BigIntegerField(null=True)
    forecast_high_micros = models.BigIntegerField(null=True)
    exhausted_on = models.DateField(null=True, help_text="when it will be used up, if it will in this month")
    is_forecast_told = models.BooleanField(default=False)
    counted_at = models.DateTimeField()

    class Meta:
        ordering = ("-start",)
        constraints = (models.UniqueConstraint(fields=("tenant", "budget", "start"), name="budget_month_once"),)

    def __str__(self) -> str:
        return f"{self.start:%Y-%m}"

    @property
    def spent(self) -> Decimal:
        """US dollars."""
        return Decimal(self.micros) / 1_000_000

    @property
    def forecast(self) -> Decimal | None:
        """US dollars at the month's end."""
        return None if self.forecast_micros is None else Decimal(self.forecast_micros) / 1_000_000
