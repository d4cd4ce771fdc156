"""Preference data of KTO: answers that a true or false in "label" calls good or bad.

Only the good answers can be learnt here, and only where somebody asked for that.
"""

from dataclasses import replace
from typing import Any

from corpora.ingest.contracts import Turn
from corpora.ingest.layouts.chat import CHAT
from corpora.ingest.layouts.layout import Layout, Raw
from corpora.ingest.layouts.prompt_completion import PROMPT_COMPLETION
from corpora.ingest.layouts.sharegpt import SHAREGPT
from corpora.ingest.problems import RowProblem

NOT_CHOSEN = "dataset:not_chosen"


def verdict(value: Any) -> bool | None:
    """Whether a label calls the answer good, or None if it is no verdict."""
    if isinstance(value, bool):
        return value
    return {"true": True, "false": False}.get(value.strip().lower()) if isinstance(value, str) else None


def _judged(layout: Layout) -> Layout:
    """The layout, with a verdict in each row."""

    def turns(raw: Raw) -> list[Turn]:
        good = verdict(raw.get("label"))
        if good is None:
            raise RowProblem("dataset:missing_field", "label", "“label” must be true or false in each row.")
        if not good:
            raise RowProblem(NOT_CHOSEN, "label", "The answer is labelled as bad. The row was left out.")
        return list(layout.turns(raw))

    def fits(raw: Raw) -> bool:
        return verdict(raw["label"]) is not None and layout.fits(raw)

    return replace(
        layout,
        name="KTO",
        required=(*layout.required, "label"),
        turns=turns,
        fits=fits,
        aliases={**layout.aliases, "label": ("kto_tag",)},
        by_column=False,
        is_preference=True,
        label_is_mark=False,
    )


KTO = tuple(map(_judged, (CHAT, SHAREGPT, PROMPT_COMPLETION)))
