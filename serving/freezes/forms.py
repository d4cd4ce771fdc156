"""The form of a freeze window."""

from typing import Any

from django import forms

from adapters.models import Adapter
from serving.models import Freeze


class MomentInput(forms.DateTimeInput):
    """A browser's own control for date and time, to the minute."""

    input_type = "datetime-local"

    def __init__(self) -> None:
        super().__init__(format="%Y-%m-%dT%H:%M")


class FreezeForm(forms.Form):
    """Times are in the site's time zone."""

    adapter: "forms.ModelChoiceField[Adapter]" = forms.ModelChoiceField(
        queryset=None, required=False, empty_label="All adapters"
    )
    starts_at = forms.DateTimeField(
        label="From", required=False, widget=MomentInput, help_text="Leave empty to freeze from now on."
    )
    ends_at = forms.DateTimeField(label="Until", widget=MomentInput)
    reason = forms.CharField(
        max_length=Freeze._meta.get_field("reason").max_length,
        help_text="Shown to everyone who tries to promote a version meanwhile.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["adapter"]
        field.queryset = Adapter.objects.order_by("name")
