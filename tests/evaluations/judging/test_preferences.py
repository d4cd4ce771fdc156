"""A win takes both orders; a flip is a tie and counted as one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluations.judging.preferences import SAME, Orders, length_of, preference_of
from tests.evaluations.judging.case import one_criterion, rubric

WIN, LOSS = Orders(forward="first", backward="second"), Orders(forward="second", backward="first")
FLIP = Orders(forward="first", backward="first")


@pytest.mark.parametrize(
    ("orders", "outcome", "flipped"),
    [
        (WIN, 1, False),
        (LOSS, -1, False),
        (FLIP, 0, True),
        (Orders(forward="second", backward="second"), 0, True),
        (SAME, 0, False),
        (Orders(forward="first", backward="tie"), 0, False),
        (Orders(forward="tie", backward="first"), 0, False),
        (Orders(forward="first", errors=("refused",)), None, False),
        (Orders(backward="tie", errors=("",)), None, False),
        (Orders(), None, False),
    ],
)
def test_both_orders_make_an_outcome(orders: Orders, outcome: int | None, flipped: bool) -> None:
    assert (orders.outcome, orders.flipped) == (outcome, flipped)


def test_heavier_criteria_decide() -> None:
    found = preference_of(rubric(), [{"Correctness": WIN, "Brevity": LOSS}])
    assert (found.outcome, found.comparisons, found.flips) == (1, 2, 0)
    jury = [{"Correctness": WIN, "Brevity": LOSS}, {"Correctness": FLIP, "Brevity": LOSS}]
    found = preference_of(rubric(), jury)
    assert (found.outcome, found.comparisons, found.flips) == (0, 4, 1)


def test_a_missing_order_of_a_required_criterion_is_no_outcome() -> None:
    half = Orders(forward="first", errors=("refused",))
    found = preference_of(rubric(), [{"Correctness": half, "Brevity": WIN}])
    assert (found.outcome, found.missing, found.comparisons) == (None, {"refused": 1}, 1)
    assert preference_of(rubric(), [{"Correctness": WIN, "Brevity": half}]).outcome == 1
    assert preference_of(rubric(), [{}]).missing == {"": 1}


CHOICES = st.sampled_from(["first", "second", "tie", ""])


@given(CHOICES, CHOICES)
def test_the_other_way_round_is_the_opposite(forward: str, backward: str) -> None:
    one = preference_of(one_criterion(), [{"Correctness": Orders(forward=forward, backward=backward)}])
    other = preference_of(one_criterion(), [{"Correctness": Orders(forward=backward, backward=forward)}])
    assert one.flips == other.flips
    assert (one.outcome is None) is (other.outcome is None)
    if one.outcome is not None and other.outcome is not None:
        assert one.outcome == -other.outcome


def test_lengths_are_compared_by_a_quarter() -> None:
    assert [length_of("a" * n, "a" * 100) for n in (0, 79, 80, 125, 126)] == [
        "shorter", "shorter", "alike", "alike", "longer",
    ]  # fmt: skip
    assert length_of("", "") == "alike"
