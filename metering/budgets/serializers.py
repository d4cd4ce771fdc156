"""REST: budgets."""

from typing import Any

from rest_framework import serializers

from metering.models import BudgetScope

MOST_RECIPIENTS = 200


class UsdField(serializers.DecimalField):
    """US dollars, to the millionth."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_digits=20, decimal_places=6, **kwargs)


class BudgetSerializer(serializers.Serializer[Any]):
    """A budget for each calendar month (UTC) and what was spent of it this month, in US dollars.

    `spent_usd` is without what has no price yet, which the four counts say. The forecast is null while it is too early
    to tell, `used_up_on` if the budget will last for the month.
    """

    id = serializers.UUIDField(source="budget.id")
    scope = serializers.ChoiceField(BudgetScope.choices, source="budget.scope")
    adapter = serializers.SerializerMethodField()
    key = serializers.SerializerMethodField()
    amount_usd = serializers.DecimalField(source="budget.amount", max_digits=20, decimal_places=2)
    note = serializers.CharField(source="budget.note")
    recipients = serializers.ListField(
        child=serializers.EmailField(), help_text="Members who get its alerts by e-mail; none: the owners do."
    )
    set_at = serializers.DateTimeField(source="budget.set_at")
    month = serializers.DateField(source="spend.month", allow_null=True, default=None, help_text="Its first day.")
    spent_usd = UsdField(source="spent")
    used_percent = serializers.SerializerMethodField()
    requests_without_cost = serializers.IntegerField(source="spend.requests_without_cost", default=0)
    seconds_without_cost = serializers.FloatField(source="spend.seconds_without_cost", default=0.0)
    calls_without_cost = serializers.IntegerField(source="spend.calls_without_cost", default=0)
    gb_months_without_cost = serializers.FloatField(source="spend.gb_months_without_cost", default=0.0)
    counted_at = serializers.DateTimeField(source="spend.counted_at", allow_null=True, default=None)
    forecast_usd = UsdField(source="forecast", allow_null=True)
    forecast_low_usd = UsdField(source="forecast_low", allow_null=True)
    forecast_high_usd = UsdField(source="forecast_high", allow_null=True)
    used_up_on = serializers.DateField(allow_null=True)

    def get_adapter(self, standing: Any) -> str | None:
        """Name of the adapter, of a budget for one."""
        return standing.budget.value if standing.budget.scope == BudgetScope.ADAPTER else None

    def get_key(self, standing: Any) -> str | None:
        """ID of the API key, of a budget for one."""
        return standing.budget.value if standing.budget.scope == BudgetScope.KEY else None

    def get_used_percent(self, standing: Any) -> float:
        """Above 100 once the budget is exceeded."""
        return round(100 * float(standing.share), 2)


class BudgetChangeSerializer(serializers.Serializer[Any]):
    """What changes; the rest stays."""

    amount_usd = serializers.DecimalField(
        source="amount", max_digits=None, decimal_places=None, required=False, help_text="0.01 to 100,000,000."
    )
    note = serializers.CharField(required=False, allow_blank=True, max_length=300)
    recipients = serializers.ListField(
        child=serializers.EmailField(),
        required=False,
        max_length=MOST_RECIPIENTS,
        help_text="E-mail addresses of members who may see usage, in place of those before; []: the owners are told.",
    )


class NewBudgetSerializer(BudgetChangeSerializer):
    """A budget for an adapter, for an API key, or without either for everything."""

    amount_usd = serializers.DecimalField(
        source="amount", max_digits=None, decimal_places=None, help_text="0.01 to 100,000,000."
    )
    adapter = serializers.CharField(required=False, max_length=80, help_text="Name of an adapter.")
    key = serializers.UUIDField(required=False, help_text="ID of an API key.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if "adapter" in attrs and "key" in attrs:
            raise serializers.ValidationError({"key": "Name an adapter or a key, not both."})
        return attrs
