"""Forms of the price book. Their services say what is wrong with a value; times are in the site's time zone."""

from typing import Any

from django import forms
from django.conf import settings

from metering.models import Service
from serving.freezes.forms import MomentInput


class _FromForm(forms.Form):
    """Begins now unless a later time is given."""

    valid_from = forms.DateTimeField(
        label="From",
        required=False,
        widget=MomentInput,
        help_text="Leave empty to start now. An earlier time is possible where nothing is known yet.",
    )


class _SpanForm(_FromForm):
    valid_until = forms.DateTimeField(
        label="Until", required=False, widget=MomentInput, help_text="Leave empty if it has no end."
    )


class PriceForm(_SpanForm):
    """A price by hand."""

    field_order = ("service", "item", "region", "amount", "currency", "valid_from", "valid_until", "note")

    service = forms.ChoiceField(choices=Service.choices)
    item = forms.CharField(
        max_length=80, help_text="Instance type such as ml.g5.2xlarge, alias of a backend, or storage class."
    )
    region = forms.CharField(required=False, max_length=40, help_text="Such as eu-west-1. Leave empty for any region.")
    amount = forms.DecimalField(
        label="Price", help_text="Per hour, GB-month or million tokens, before discounts. 0 means free of charge."
    )
    currency = forms.CharField(max_length=3, help_text="Such as USD or EUR.")
    note = forms.CharField(required=False, max_length=300, help_text="Where the price is from, such as a contract.")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["currency"].initial = settings.CURRENCY


class DiscountForm(_SpanForm):
    """A discount."""

    field_order = ("service", "item", "percent", "reason", "valid_from", "valid_until")

    service = forms.ChoiceField(choices=Service.choices)
    item = forms.CharField(required=False, max_length=80, help_text="Leave empty for all items of the service.")
    percent = forms.DecimalField(label="Discount in per cent", help_text="Of several that apply, the greatest counts.")
    reason = forms.CharField(max_length=80, help_text="Such as “Savings Plan”. Shown beside the price.")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["valid_from"].help_text = "Leave empty to start now."


class RateForm(_FromForm):
    """What one unit of a currency is worth in another."""

    field_order = ("currency", "rate", "into", "valid_from", "note")

    currency = forms.CharField(label="One unit of", max_length=3, help_text="Such as EUR.")
    rate = forms.DecimalField(label="Is worth")
    into = forms.CharField(label="In", max_length=3)
    note = forms.CharField(required=False, max_length=300, help_text="Where the rate is from.")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["into"].initial = settings.CURRENCY
