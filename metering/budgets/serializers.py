"""Budgets in REST."""

from typing import Any

from rest_framework import serializers

from metering.budgets.services import LONGEST_NOTE
from metering.models import By

SCOPES = [By.ALL.value, By.MODEL.value, By.KEY.value]


class AmountSerializer(serializers.Serializer[Any]):
    """How much a month, in US dollars."""

    usd = serializers.DecimalField(max_digits=12, decimal_places=2)
    note = serializers.CharField(required=False, default="", allow_blank=True, max_length=LONGEST_NOTE)


class NewBudgetSerializer(AmountSerializer):
    """For everything, one model, or one API key."""

    by = serializers.ChoiceField(SCOPES, default="", allow_blank=True, help_text="Empty for everything.")
    value = serializers.CharField(
        default="", allow_blank=True, max_length=80, help_text="Name of the model, or ID of the key."
    )


class BudgetSerializer(serializers.Serializer[Any]):
    """A budget and its counter of this month (UTC). `unknown` counts what has no known cost and is not in `spent_usd`.

    `forecast_usd` is at the month's end, null while it is too early to tell; `exhausted_on` is null if it will last.
    """

    id = serializers.UUIDField(source="budget.id")
    by = serializers.CharField(source="budget.by")
    value = serializers.CharField(source="budget.value")
    usd = serializers.DecimalField(source="budget.usd", max_digits=12, decimal_places=2)
    note = serializers.CharField(source="budget.note")
    spent_usd = serializers.DecimalField(source="spent", max_digits=20, decimal_places=6)
    share = serializers.FloatField(help_text="Of the budget; above 1 if it is overdrawn.")
    unknown = serializers.IntegerField(source="month.unknown", default=0)
    forecast_usd = serializers.DecimalField(
        source="month.forecast", max_digits=20, decimal_places=6, allow_null=True, default=None
    )
    exhausted_on = serializers.DateField(source="month.exhausted_on", allow_null=True, default=None)
    counted_at = serializers.DateTimeField(source="month.counted_at", allow_null=True, default=None)
    created_at = serializers.DateTimeField(source="budget.created_at")
