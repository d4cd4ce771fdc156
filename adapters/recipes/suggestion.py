"""The recipe that fits a dataset, by what its check counted. It is a suggestion: the choice is the customer's."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from adapters.recipes.catalogue import RECIPES, Recipe

MOST_LABELS, LONGEST_LABEL, ROWS_PER_LABEL = 200, 80, 2
"""Answers are labels up to these limits, the same as for the metrics of classification in evaluations."""
MOST = 0.9
"""Share of the answers from which on they count as one kind: a few that differ are slips."""
SEVERAL_ANSWERS = 4
"""Messages of a row from which on it has several answers; with three, the first is the system's."""


@dataclass(frozen=True, kw_only=True)
class Suggestion:
    """A recipe, and in one sentence what of the data speaks for it."""

    recipe: Recipe
    reason: str


def suggested_for(profile: Mapping[str, Any]) -> Suggestion | None:
    """The recipe that fits a version with this profile.

    None if its check counted no answers, as earlier ones did, or if most are empty, as those are which only call tools.
    """
    answers = profile.get("answers")
    if not answers or 2 * answers["rows"] < profile.get("sampled", 0):
        return None
    key, reason = _choose(profile, answers)
    return Suggestion(recipe=RECIPES[key], reason=reason)


def _choose(profile: Mapping[str, Any], answers: Mapping[str, int]) -> tuple[str, str]:
    rows, labels = answers["rows"], answers["distinct"]
    # With very many different numbers of messages, the rarer ones are counted together under a name that is no number.
    turns = [
        (int(count["name"]), count["train"] + count["test"])
        for count in profile.get("turns", [])
        if count["name"].isdecimal()
    ]
    long = sum(count for messages, count in turns if messages >= SEVERAL_ANSWERS)
    if 2 * long > sum(count for _, count in turns):
        return "dialogue", "Most of your rows are conversations with several answers."
    if answers["json"] >= MOST * rows:
        return "structured", "Your answers are JSON."
    if answers["longest"] <= LONGEST_LABEL and 2 <= labels <= min(MOST_LABELS, rows / ROWS_PER_LABEL):
        return "classification", f"Your answers are one of {labels} labels."
    if answers["same_form"] >= MOST * rows:
        return "structured", "Your answers all have the same form."
    return "style", (
        "Your answers are free text. If they need facts that a general model doesn’t know, choose "
        f"“{RECIPES['knowledge'].title}”."
    )
