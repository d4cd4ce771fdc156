"""The form of an adjustment. Its service says what is wrong with a value."""

from django import forms


class AdjustmentForm(forms.Form):
    """An amount that is added to an open statement, or taken off."""

    amount = forms.DecimalField(label="Amount in USD", help_text="Below 0 for a credit, such as -25.00.")
    reason = forms.CharField(
        max_length=200,
        help_text="The organisation reads it on its statement, such as “Credit for the outage on 12 May”.",
    )
