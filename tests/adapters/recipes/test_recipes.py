"""Recipes advise by kind of base; a person's own numbers are checked and told apart from the advice."""

from dataclasses import replace
from typing import Any

import pytest

from adapters.models import BaseModel
from adapters.recipes.catalogue import RECIPES, get_recipe
from adapters.recipes.hyperparameters import Hyperparameters, apply_overrides, differences, overrides_between
from adapters.training.kinds import train_spec
from adapters.training.previews import SHOWN
from rest.errors import PortalError

TINY = BaseModel(name="tiny", is_synthetic=True, context_length=2048)
BIG = BaseModel(name="big", is_synthetic=False, context_length=8192)
SMALL = BaseModel(name="small", parameters=135_000_000, context_length=2048)


@pytest.mark.parametrize("key", RECIPES)
@pytest.mark.parametrize("base", [TINY, SMALL, BIG], ids=["synthetic", "small", "real"])
def test_every_number_that_is_shown_has_a_reason(key: str, base: BaseModel) -> None:
    advice = RECIPES[key].for_base(base)
    # No recipe counts steps; a person may.
    assert set(advice.reasons) == set(SHOWN) - {"max_steps"}
    assert all(reason.endswith(".") for reason in advice.reasons.values())


@pytest.mark.parametrize("key", RECIPES)
def test_a_tiny_base_learns_at_a_rate_that_would_wreck_a_large_one(key: str) -> None:
    tiny, big = (RECIPES[key].for_base(base).hyperparameters for base in (TINY, BIG))
    assert 2e-3 <= tiny.learning_rate <= 5e-3
    assert 1e-4 <= big.learning_rate <= 2e-4


@pytest.mark.parametrize("key", RECIPES)
def test_a_small_real_base_learns_at_a_rate_between(key: str) -> None:
    tiny, small, big = (RECIPES[key].for_base(base).hyperparameters for base in (TINY, SMALL, BIG))
    assert big.learning_rate < small.learning_rate < tiny.learning_rate


@pytest.mark.parametrize(
    ("rows", "epochs"),
    [(None, 3), (0, 3), (1, 20), (32, 20), (33, 20), (75, 9), (150, 5), (215, 4), (216, 3), (10_000, 3)],
)
def test_few_rows_are_read_more_often_on_small_bases(rows: int | None, epochs: float) -> None:
    advice = RECIPES["style"].for_base(SMALL, rows)
    assert advice.hyperparameters.epochs == epochs
    assert ("Few rows" in advice.reasons["epochs"]) == (epochs > 3)
    for base in (TINY, BIG):
        assert RECIPES["style"].for_base(base, rows) == RECIPES["style"].for_base(base)


@pytest.mark.parametrize(
    ("parameters", "is_small"),
    [(0, False), (1, True), (999_999_999, True), (1_000_000_000, False)],
    ids=["unknown", "least", "below", "at the limit"],
)
def test_a_small_base_has_less_than_a_billion_parameters(parameters: int, is_small: bool) -> None:
    base = BaseModel(name="some", parameters=parameters, context_length=2048)
    other = RECIPES["style"].for_base(BIG).hyperparameters
    assert (RECIPES["style"].for_base(base).hyperparameters.learning_rate > other.learning_rate) is is_small


def test_the_advice_is_what_an_empty_form_trains_with() -> None:
    advised = RECIPES["style"].for_base(TINY).hyperparameters
    assert apply_overrides(advised, {}, base_model=TINY) == advised
    assert differences(advised, advised) == []


def test_alpha_follows_the_rank_unless_it_is_set() -> None:
    advised = RECIPES["style"].for_base(TINY).hyperparameters
    assert apply_overrides(advised, {"rank": 8}, base_model=TINY).alpha == 16
    assert apply_overrides(advised, {"rank": 8, "alpha": 32}, base_model=TINY).alpha == 32


def test_what_differs_is_named_with_both_values() -> None:
    advised = RECIPES["style"].for_base(TINY).hyperparameters
    chosen = apply_overrides(advised, {"rank": 4, "epochs": 3}, base_model=TINY)
    assert [(d.title, d.advised, d.chosen) for d in differences(advised, chosen)] == [
        ("Rank", "16", "4"),
        ("Alpha", "32", "8"),
    ]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("rank", 0),
        ("rank", 257),
        ("rank", 8.5),
        ("rank", True),
        ("rank", "8"),
        ("epochs", float("nan")),
        ("epochs", 21),
        ("learning_rate", float("inf")),
        ("learning_rate", 0),
        ("batch_size", -1),
        ("max_length", 4096),
        ("threads", 64),
    ],
)
def test_a_bad_number_is_refused_by_name(name: str, value: Any) -> None:
    advised = RECIPES["style"].for_base(TINY).hyperparameters
    with pytest.raises(PortalError) as caught:
        apply_overrides(advised, {name: value}, base_model=TINY)
    assert caught.value.field == name
    assert caught.value.status == 400


def test_no_advice_is_longer_than_the_base_can_read() -> None:
    short = BaseModel(name="short", context_length=1024)
    assert RECIPES["style"].for_base(short).hyperparameters.max_length == 1024


def test_an_unknown_recipe_is_refused_with_those_there_are() -> None:
    with pytest.raises(PortalError, match="knowledge, style") as caught:
        get_recipe("magic")
    assert caught.value.field == "recipe"


def test_steps_are_counted_as_the_trainer_does() -> None:
    numbers = replace(RECIPES["style"].for_base(BIG).hyperparameters, batch_size=8, gradient_accumulation=4)
    assert replace(numbers, epochs=3.0).steps(100) == 12
    assert replace(numbers, epochs=0.5).steps(100) == 2
    assert numbers.steps(1) == 3


def test_what_is_learnt_is_a_choice_with_every_answer_as_the_default() -> None:
    advised = RECIPES["dialogue"].for_base(BIG).hyperparameters
    chosen = apply_overrides(advised, {"learn": "last_answer"}, base_model=BIG)
    assert (train_spec(BIG, advised.to_dict()).learn, train_spec(BIG, chosen.to_dict()).learn) == (
        "every_answer",
        "last_answer",
    )
    assert [(d.title, d.advised, d.chosen) for d in differences(advised, chosen)] == [
        ("Learns", "every answer", "only the last answer")
    ]
    assert overrides_between(advised, chosen) == {"learn": "last_answer"}
    with pytest.raises(PortalError, match="every_answer, last_answer") as caught:
        apply_overrides(advised, {"learn": "the best"}, base_model=BIG)
    assert caught.value.field == "learn"


def test_a_run_from_before_there_was_a_choice_still_trains_and_clones() -> None:
    advised = RECIPES["style"].for_base(BIG).hyperparameters
    stored = {name: value for name, value in advised.to_dict().items() if name != "learn"}
    assert train_spec(BIG, stored).learn == "every_answer"
    assert overrides_between(advised, Hyperparameters.from_dict(stored)) == {}


def test_steps_replace_epochs_and_are_shown_as_a_difference() -> None:
    advised = RECIPES["style"].for_base(BIG).hyperparameters
    chosen = apply_overrides(advised, {"max_steps": 50, "batch_size": 2}, base_model=BIG)
    assert chosen.steps(10_000) == 50
    assert chosen.rows_read(10_000) == 50 * chosen.batch_size * chosen.gradient_accumulation
    # A step never goes beyond the end of a pass, and takes all of a short one.
    assert replace(chosen, batch_size=64, gradient_accumulation=64).rows_read(200) == 50 * 200
    assert replace(advised, epochs=0.1, batch_size=200, gradient_accumulation=1).rows_read(200) == 200
    assert ("Steps", "not set", "50") in [(d.title, d.advised, d.chosen) for d in differences(advised, chosen)]
    assert overrides_between(advised, chosen) == {"max_steps": 50, "batch_size": 2}
    assert train_spec(BIG, chosen.to_dict()).max_steps == 50
    assert train_spec(BIG, advised.to_dict()).max_steps == -1
    with pytest.raises(PortalError, match="not both") as caught:
        apply_overrides(advised, {"max_steps": 50, "epochs": 2}, base_model=BIG)
    assert caught.value.field == "max_steps"
