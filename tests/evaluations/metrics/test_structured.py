"""JSON answers: valid or not, and how many fields are right."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluations.metrics.base import Answers
from evaluations.metrics.structured import FieldAccuracy, JsonValidity

VALID, FIELDS = JsonValidity("x", {}), FieldAccuracy("x", {})
ORDER = '{"name": "Ada", "items": [{"sku": 1}, {"sku": 2}], "paid": true}'


@pytest.mark.parametrize(
    ("answer", "valid", "fields"),
    [
        (ORDER, 1, 1),
        ('{"paid": true, "items": [{"sku": 1.0}, {"sku": 2}], "name": "Ada"}', 1, 1),
        ('{"name": "Ada", "items": [{"sku": 1}, {"sku": 3}], "paid": true}', 1, 3 / 4),
        ('{"name": "Ada", "items": [{"sku": 1}], "paid": true}', 1, 3 / 4),
        ('{"name": "Ada", "items": [{"sku": 1}, {"sku": 2}], "paid": true, "extra": null}', 1, 4 / 5),
        ('{"name": "Ada", "items": [{"sku": true}, {"sku": 2}], "paid": 1}', 1, 2 / 4),
        (f"Here it is: {ORDER}", 0, 0),
        (f"```json\n{ORDER}\n```", 0, 0),
        ('{"name": NaN}', 0, 0),
        ('{"name": "Ada"', 0, 0),
        ("[" * 5000 + "]" * 5000, 0, 0),
        ("[" * 200_000, 0, 0),
        ("{}", 1, 0),
        ('"Ada"', 0, 0),
        ("", 0, 0),
    ],
)
def test_fields_right_of_all_fields(answer: str, valid: float, fields: float) -> None:
    assert VALID.score(ORDER, answer) == valid
    assert FIELDS.score(ORDER, answer) == pytest.approx(fields)


def test_a_reference_that_is_text_has_no_score() -> None:
    assert VALID.score("Ada", "{}") is FIELDS.score("Ada", "{}") is FIELDS.score("12", "12") is None
    assert VALID.unavailable(Answers(["Ada", "12"], ["{}", "{}"])) == "No expected answer is a JSON object or list."
    assert VALID.unavailable(Answers(["Ada", "[]"], ["{}", "{}"])) == ""


def test_an_empty_list_is_a_value() -> None:
    assert FIELDS.score('{"items": []}', '{"items": []}') == 1
    assert FIELDS.score('{"items": []}', '{"items": {}}') == 0


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
)
structures = st.lists(values, max_size=4) | st.dictionaries(st.text(max_size=3), values, max_size=4)


@given(structures, structures)
@settings(deadline=None)
def test_field_accuracy_is_a_share_the_same_both_ways_and_whole_for_itself(first: Any, second: Any) -> None:
    one, other = json.dumps(first), json.dumps(second, indent=1)
    assert FIELDS.score(one, json.dumps(first, indent=2)) == 1
    forth = FIELDS.score(one, other)
    assert forth is not None
    assert 0 <= forth <= 1
    assert forth == FIELDS.score(other, one)
