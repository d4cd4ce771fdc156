"""The recipe that fits a dataset, by the profile of its check."""

from typing import Any

import pytest

from adapters.recipes.suggestion import suggested_for
from corpora.ingest.assembly.profile import OTHER


def profile(*, messages: int = 2, **answers: int) -> dict[str, Any]:
    counted = {"rows": 30, "distinct": 30, "longest": 40, "json": 0, "same_form": 0} | answers
    turns = [{"name": str(messages), "train": 20, "test": 10}]
    return {"turns": turns, "answers": counted}


@pytest.mark.parametrize(
    ("found", "key", "reason"),
    [
        ({"distinct": 5}, "classification", "one of 5 labels"),
        ({"distinct": 15, "longest": 80}, "classification", "one of 15 labels"),
        ({"distinct": 16}, "style", "free text"),
        ({"distinct": 5, "longest": 81}, "style", "free text"),
        ({"distinct": 1}, "style", "free text"),
        ({"rows": 1000, "distinct": 200}, "classification", "200 labels"),
        ({"rows": 1000, "distinct": 201}, "style", "free text"),
        ({"json": 27}, "structured", "JSON"),
        ({"json": 26}, "style", "free text"),
        ({"json": 30, "distinct": 3}, "structured", "JSON"),
        ({"same_form": 27}, "structured", "the same form"),
        ({"same_form": 30, "distinct": 4}, "classification", "4 labels"),
        ({"messages": 4, "distinct": 5}, "dialogue", "several answers"),
        ({"messages": 3, "distinct": 5}, "classification", "5 labels"),
    ],
)
def test_the_recipe_fits_the_answers(found: dict[str, int], key: str, reason: str) -> None:
    suggestion = suggested_for(profile(**found))
    assert suggestion is not None
    assert suggestion.recipe.key == key
    assert reason in suggestion.reason
    assert suggestion.reason.endswith(".")


@pytest.mark.parametrize("older", [{}, {"answers": None}, {"turns": [], "labels": []}], ids=["none", "null", "older"])
def test_nothing_is_suggested_where_no_answers_were_counted(older: dict[str, Any]) -> None:
    assert suggested_for(older) is None


def test_numbers_of_messages_that_are_counted_together_are_left_out() -> None:
    found = profile(distinct=5)
    found["turns"].append({"name": OTHER, "train": 5, "test": 5})
    suggestion = suggested_for(found)
    assert suggestion is not None
    assert suggestion.recipe.key == "classification"


@pytest.mark.parametrize(("sampled", "is_suggested"), [(30, True), (60, True), (61, False)])
def test_nothing_is_suggested_where_most_answers_are_empty(sampled: int, is_suggested: bool) -> None:
    assert (suggested_for(profile(distinct=2) | {"sampled": sampled}) is not None) == is_suggested
