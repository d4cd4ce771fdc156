"""Forms of a budget."""

from typing import Any

from django import forms

from adapters.models import Adapter
from metering.budgets.services import LONGEST_NOTE
from metering.models import By
from tenants.models import ApiKey


class AmountForm(forms.Form):
    """How much, and why."""

    usd = forms.DecimalField(label="US dollars a month", max_digits=12, decimal_places=2)
    note = forms.CharField(required=False, max_length=LONGEST_NOTE)


class NewBudgetForm(AmountForm):
    """`scope` is empty for everything, else what a budget is by, a colon and its value."""

    field_order = ("scope", "usd", "note")

    scope = forms.ChoiceField(label="For", required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        names = Adapter.objects.order_by("name").values_list("name", flat=True)
        models = [(f"{By.MODEL}:{name}", name) for name in names]
        keys = ApiKey.objects.filter(revoked_at=None).order_by("name").values_list("id", "name")
        choices: list[Any] = [("", "Everything")]
        choices += [("Models", models)] if models else []
        choices += [("API keys", [(f"{By.KEY}:{key}", name) for key, name in keys])] if keys else []
        self.fields["scope"].choices = choices  # type: ignore[attr-defined]

    @property
    def by(self) -> str:
        """Of valid data."""
        return str(self.cleaned_data["scope"]).partition(":")[0]

    @property
    def value(self) -> str:
        """Of valid data."""
        return str(self.cleaned_data["scope"]).partition(":")[2]
