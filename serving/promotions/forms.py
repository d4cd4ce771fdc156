"""The form of a promotion, or of a trial that switches nothing."""

import datetime as dt
from typing import Any

from django import forms

from evaluations.runs.judgings.forms import judges_to_choose, jury_named
from evaluations.runs.judgings.services import JudgingWanted
from serving.freezes.forms import MomentInput
from serving.trials.services import LEAST_PERCENT, MOST_COPIES, MOST_PERCENT, TrialPlan

AT_ONCE, CANARY, TEST, SHADOW = "at-once", "canary", "test", "shadow"

USUAL_COPIES = 100

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
            (SHADOW, "Nobody: it answers copies of requests, to compare"),
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
    copies = forms.IntegerField(
        label="Requests to compare",
        min_value=1,
        max_value=MOST_COPIES,
        initial=USUAL_COPIES,
        help_text="Both versions answer them, and the answers are kept.",
    )
    judge = forms.ChoiceField(
        label="Compared by",
        choices=lambda: [("", "Nobody"), *judges_to_choose()],
        required=False,
        help_text="In both orders, so two calls for each request and criterion.",
    )
    minutes = forms.TypedChoiceField(label="For", choices=DURATIONS, coerce=int, initial=60)
    not_before = forms.DateTimeField(
        label="Promote at",
        required=False,
        widget=MomentInput,
        help_text="Leave empty to promote now. The decision is checked again at that time.",
        error_messages={"invalid": "Enter a date and a time."},
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.is_bound:
            for name in self._unused(self.data.get("how")):
                self.fields[name].required = False

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("not_before") and cleaned.get("how") in (TEST, SHADOW):
            self.add_error("not_before", "Only a promotion can be scheduled.")
        return cleaned

    @property
    def moment(self) -> dt.datetime | None:
        """In the site's time zone; None for now."""
        found: dt.datetime | None = self.cleaned_data["not_before"]
        return found

    @property
    def plan(self) -> TrialPlan | None:
        """None where everyone is answered at once."""
        how, values = self.cleaned_data["how"], self.cleaned_data
        if how == AT_ONCE:
            return None
        if how == SHADOW:
            return TrialPlan(percent=0, minutes=values["minutes"], copies=values["copies"])
        copies = (values["copies"] or USUAL_COPIES) if values["judge"] else 0
        return TrialPlan(percent=values["percent"], minutes=values["minutes"], copies=copies)

    @property
    def judging(self) -> JudgingWanted | None:
        """Who compares answers, by which of two is better. Raises PortalError."""
        judge = self.cleaned_data["judge"]
        if not judge or self.cleaned_data["how"] == AT_ONCE:
            return None
        return JudgingWanted(jury=jury_named([judge]))

    @property
    def is_promotion(self) -> bool:
        return self.cleaned_data["how"] in (AT_ONCE, CANARY)

    def _unused(self, how: str | None) -> tuple[str, ...]:
        if how == AT_ONCE:
            return ("percent", "minutes", "copies")
        return ("percent",) if how == SHADOW else ("copies",)
