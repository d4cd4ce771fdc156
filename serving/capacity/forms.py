"""The forms of the capacity page."""

import re
from typing import Any

from django import forms

from lorakit.capacity.ranks import RANKS
from serving.backends.recommending import GOALS, MOST_MACHINES
from serving.capacity.questions import Wish

MOST_ADAPTERS = 10_000
MOST_AN_HOUR = 10_000_000
MACHINE = re.compile(r"ml\.[a-z0-9-]{2,20}\.[a-z0-9]{4,20}")


class PinForm(forms.Form):
    """An adapter, and whether it is to keep its slot."""

    deployment = forms.UUIDField()
    pinned = forms.BooleanField(required=False)


class RecommendationForm(forms.Form):
    """What is to be best, and the instance types to try."""

    goal = forms.ChoiceField(label="Best is", choices=list(GOALS.items()), initial="cost")
    machines = forms.CharField(
        label="Instance types",
        required=False,
        max_length=200,
        help_text=f"Up to {MOST_MACHINES}, such as ml.g6e.xlarge ml.g6.12xlarge. Leave empty to let AWS choose.",
    )

    def clean_machines(self) -> list[str]:
        named = re.split(r"[\s,]+", self.cleaned_data["machines"].strip())
        wrong = next((name for name in named if name and not MACHINE.fullmatch(name)), "")
        if wrong:
            raise forms.ValidationError(f"{wrong[:40]} is not an instance type, such as ml.g6e.xlarge.")
        return [name for name in named if name]


class WishForm(forms.Form):
    """More adapters of a rank, and how often each is asked."""

    adapters = forms.IntegerField(label="More adapters", min_value=1, max_value=MOST_ADAPTERS, initial=1)
    rank = forms.IntegerField(label="Rank", min_value=1, max_value=RANKS[-1])
    an_hour = forms.FloatField(
        label="Requests an hour", min_value=0, max_value=MOST_AN_HOUR, help_text="Of each of them."
    )

    def __init__(self, data: Any = None, *, rank: int, an_hour: float) -> None:
        super().__init__(data, initial={"rank": rank, "an_hour": an_hour})

    @property
    def wish(self) -> Wish:
        return Wish(**self.cleaned_data)
