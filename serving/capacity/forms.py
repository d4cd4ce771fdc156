"""The question of the capacity page: may I add these adapters?"""

from typing import Any

from django import forms

from lorakit.capacity.ranks import RANKS
from serving.capacity.questions import Wish

MOST_ADAPTERS = 10_000
MOST_AN_HOUR = 10_000_000


class PinForm(forms.Form):
    """An adapter, and whether it is to keep its slot."""

    deployment = forms.UUIDField()
    pinned = forms.BooleanField(required=False)


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
