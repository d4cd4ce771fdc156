"""Forms of budgets. Their services say what is wrong with a value."""

from typing import Any

from django import forms

from metering.budgets.names import choices
from tenants.models import Membership
from tenants.permissions import Action


class BudgetForm(forms.Form):
    """What an existing budget can be changed by."""

    amount = forms.DecimalField(label="Amount in US dollars", help_text="For each calendar month (UTC).")
    note = forms.CharField(required=False, max_length=300)
    recipients = forms.TypedMultipleChoiceField(
        label="Who is told",
        required=False,
        coerce=int,
        widget=forms.CheckboxSelectMultiple,
        help_text="Choose nobody to tell the owners.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        members = Membership.objects.filter(user__is_active=True).select_related("user").order_by("user__email")
        field: Any = self.fields["recipients"]
        field.choices = [(one.user_id, str(one.user)) for one in members if one.may(Action.USAGE_VIEW)]


class NewBudgetForm(BudgetForm):
    """With what the budget is of."""

    field_order = ("subject", "amount", "note", "recipients")

    subject = forms.ChoiceField(label="Budget for")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.subjects = {choice.code: choice for choice in choices()}
        field: Any = self.fields["subject"]
        field.choices = [(code, choice.label) for code, choice in self.subjects.items()]

    def clean_subject(self) -> Any:
        return self.subjects[self.cleaned_data["subject"]].subject
