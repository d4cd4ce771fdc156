"""The form of a promotion."""

from typing import Any

from django import forms

from serving.trials.services import LEAST_PERCENT, MOST_PERCENT, TrialPlan

AT_ONCE, CANARY, TEST = "at-once", "canary", "test"

DURATIONS = (
    (10, "10 minutes"),
    (60, "1 hour"),
    (360, "6 hours"),
    (1_440, "1 day"),
    (4_320, "3 days"),
    (10_080, "7 days"),
)


class PromoteForm(forms.Form):
    """Who is answered by the version: everyone once it is checked, or a share of callers before that, or only they."""

    how = forms.ChoiceField(
        label="Who gets its answers",
        choices=(
            (AT_ONCE, "Everyone, as soon as it is checked"),
            (CANARY, "A share of callers first, then everyone if they fare no worse"),
            (TEST, "Only a share of callers, to compare: nothing is switched"),
        ),
        widget=forms.RadioSelect,
        initial=AT_ONCE,
    )
    percent = forms.IntegerField(
        label="Share of callers (%)",
        min_value=LEAST_PERCENT,
        max_value=MOST_PERCENT,
        initial=10,
        help_text="A caller is an API key, or a person where your program sends “user”. Each stays with one version.",
    )
    minutes = forms.TypedChoiceField(label="For", choices=DURATIONS, coerce=int, initial=60)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.is_bound and self.data.get("how") == AT_ONCE:
            for name in ("percent", "minutes"):
                self.fields[name].required = False

    @property
    def plan(self) -> TrialPlan | None:
        """None where everyone is answered at once."""
        if self.cleaned_data["how"] == AT_ONCE:
            return None
        return TrialPlan(percent=self.cleaned_data["percent"], minutes=self.cleaned_data["minutes"])

    @property
    def is_test(self) -> bool:
        return bool(self.cleaned_data["how"] == TEST)
