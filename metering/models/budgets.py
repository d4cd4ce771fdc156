"""Budgets, and the one counter of what was spent."""

from decimal import Decimal

from django.db import models
from django.db.models import Q

from tenants.models import TenantModel, User


class BudgetScope(models.TextChoices):
    """What a budget is of."""

    ALL = "all", "Everything"
    ADAPTER = "adapter", "Adapter"
    KEY = "key", "API key"


class Budget(TenantModel):
    """What an organisation wants to spend at most in each calendar month (UTC), in millionths of a US dollar.

    `value` is the name of an adapter or the ID of an API key, which the budget may outlive. `recipients` are IDs of
    members who are told; without any, the owners are.
    """

    scope = models.CharField(max_length=8, choices=BudgetScope)
    value = models.CharField(max_length=80, blank=True)
    amount_micros = models.BigIntegerField()
    note = models.CharField(max_length=300, blank=True)
    recipients = models.JSONField(default=list)
    set_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    set_at = models.DateTimeField()

    class Meta:
        ordering = ("created_at",)
        constraints = (
            models.UniqueConstraint(fields=("tenant", "scope", "value"), name="budget_once"),
            models.CheckConstraint(condition=Q(amount_micros__gt=0), name="budget_above_zero"),
        )

    def __str__(self) -> str:
        return f"{self.get_scope_display()} {self.value}".strip()

    @property
    def amount(self) -> Decimal:
        """US dollars."""
        return Decimal(self.amount_micros) / 1_000_000


class Spend(TenantModel):
    """What was spent in a month on what a budget is of. Everyone who needs to know reads this row.

    It is counted anew, never added to. `…_without_cost` is what it lacks, because no price is known. The forecast is of
    the whole month, null while it is too early to tell.
    """

    scope = models.CharField(max_length=8, choices=BudgetScope)
    value = models.CharField(max_length=80, blank=True)
    month = models.DateField(help_text="its first day")
    micros = models.BigIntegerField(default=0)
    requests_without_cost = models.BigIntegerField(default=0)
    seconds_without_cost = models.FloatField(default=0.0)
    calls_without_cost = models.BigIntegerField(default=0)
    gb_months_without_cost = models.FloatField(default=0.0, db_default=0.0)
    forecast_micros = models.BigIntegerField(null=True)
    forecast_low_micros = models.BigIntegerField(null=True)
    forecast_high_micros = models.BigIntegerField(null=True)
    used_up_on = models.DateField(null=True, help_text="the day on which the budget is, or will be, used up")
    counted_at = models.DateTimeField()

    class Meta:
        ordering = ("-month",)
        constraints = (models.UniqueConstraint(fields=("tenant", "scope", "value", "month"), name="spend_once"),)

    def __str__(self) -> str:
        return f"{self.scope} {self.value} {self.month:%Y-%m}"

    @property
    def amount(self) -> Decimal:
        """US dollars."""
        return Decimal(self.micros) / 1_000_000

    @property
    def is_incomplete(self) -> bool:
        """Whether something was used whose cost is not known."""
        return bool(
            self.requests_without_cost
            or self.seconds_without_cost
            or self.calls_without_cost
            or self.gb_months_without_cost
        )
