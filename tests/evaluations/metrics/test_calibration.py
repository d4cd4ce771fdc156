"""Expected calibration error and its bins, by hand."""

from math import log

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluations.metrics.base import Answers
from evaluations.metrics.calibration import CalibrationError, reliability

METRIC = CalibrationError("x", {})


def test_error_of_five_answers_by_hand() -> None:
    answers = Answers(
        ["a", "a", "a", "a", "a"], ["a", "b", "a", "a", "b"], [log(p) for p in (0.95, 0.95, 0.65, 1, 0.05)]
    )
    # 0.9 to 1: three rows, confidence 0.9667, 2 of 3 right; 0.6 to 0.7: one right; 0 to 0.1: one wrong.
    expected = (3 * abs(2.9 / 3 - 2 / 3) + abs(0.65 - 1) + 0.05) / 5
    assert METRIC.value(answers) == pytest.approx(expected)
    bins = METRIC.details(answers)["bins"]
    assert [part["rows"] for part in bins] == [1, 0, 0, 0, 0, 0, 1, 0, 0, 3]
    assert bins[9] == {"low": 0.9, "high": 1.0, "rows": 3, "confidence": pytest.approx(2.9 / 3), "accuracy": 2 / 3}
    assert bins[1] == {"low": 0.1, "high": 0.2, "rows": 0, "confidence": None, "accuracy": None}


def test_a_model_that_is_as_right_as_it_is_sure_has_no_error() -> None:
    answers = Answers(["a"] * 4, ["a", "a", "a", "b"], [log(0.75)] * 4)
    assert METRIC.value(answers) == pytest.approx(0)


def test_without_log_probabilities_there_is_a_reason_and_no_number() -> None:
    answers = Answers(["a"], ["a"])
    assert METRIC.unavailable(answers) == "The model gave no log-probabilities with its answers."
    assert METRIC.value(answers) is None


def test_answers_without_a_log_probability_are_left_out() -> None:
    assert METRIC.value(Answers(["a", "a"], ["a", "b"], [0.0, None])) == 0


@given(st.lists(st.tuples(st.sampled_from("ab"), st.floats(-50, 0.001) | st.none()), min_size=1))
@settings(deadline=None)
def test_the_error_is_a_share_and_every_row_in_one_bin(rows: list[tuple[str, float | None]]) -> None:
    answers = Answers(["a"] * len(rows), [text for text, _ in rows], [logprob for _, logprob in rows])
    value = METRIC.value(answers)
    assert value is None or 0 <= value <= 1
    assert sum(part.rows for part in reliability(answers)) == sum(logprob is not None for _, logprob in rows)
