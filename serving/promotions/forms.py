"""What the dialog of a promotion asks."""

import datetime as dt

from django import forms

from rest.errors import PortalError
from serving.freezes.forms import MomentInput


class PromoteForm(forms.Form):
    """When to promote, in the site's time zone; empty for now."""

    not_before = forms.DateTimeField(
        label="Promote at",
        required=False,
        widget=MomentInput,
        help_text="Leave empty to promote now. The decision is checked again at that time.",
    )

    def moment(self) -> dt.datetime | None:
        """Raises PortalError where it is no time."""
        if not self.is_valid():
            raise PortalError("Enter a date and a time.", code="promotion:bad_time", field="not_before")
        found: dt.datetime | None = self.cleaned_data["not_before"]
        return found
