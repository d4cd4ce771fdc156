"""The form of a webhook."""

from typing import Any

from django import forms

from tenants.webhooks.addresses import LONGEST
from tenants.webhooks.kinds import event_kinds


class WebhookForm(forms.Form):
    """Where to send which events."""

    url = forms.CharField(
        label="Address",
        max_length=LONGEST,
        widget=forms.TextInput(
            attrs={"inputmode": "url", "placeholder": "https://example.com/events", "spellcheck": "false"}
        ),
        help_text="Of your own software. It must answer within 15 seconds.",
    )
    events = forms.MultipleChoiceField(
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="Choose none to send all, also those that are added later.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["events"].choices = [(kind.name, kind.title) for kind in event_kinds()]  # type: ignore[attr-defined]
