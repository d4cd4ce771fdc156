"""Figures of a judge: exact, with intervals, and each fault found by its own bar."""

from collections.abc import Iterable
from statistics import fmean
from typing import Any

import pytest

from evaluations.judges.prompts import Criterion, pair_prompt_for, prompt_for
from evaluations.qualification.cases import Case, Pair, cases, everything, pairs
from evaluations.qualification.figures import (
    Figure,
    Figures,
    Outcome,
    difference,
    distance,
    figures_of,
    fits_band,
    share,
    tells_apart,
)
from evaluations.qualification.words import QUESTIONS, bars_of, points
from lorakit.stats import clopper_pearson_interval, ends_interval
from tests.evaluations.qualification.behaviours import (
    Behaviour,
    first_come,
    fooled,
    generous,
    obedient,
    perfect,
    wordy,
)

CRITERION = Criterion(name="Right", description="Is it right?")
TEXT: dict[str, Any] = {"messages": [], "reference": "E"}


def case(item: str, kind: str) -> Case:
    prompt = prompt_for(CRITERION, answer=kind, **TEXT)
    return Case(key=f"{item}/{kind}", set="s", item=item, kind=kind, question="Q", prompt=prompt)


def pair(item: str, *, worse: str, right_first: bool) -> Pair:
    prompt = pair_prompt_for(CRITERION, first="1", second="2", **TEXT)
    key = f"{item}/{worse}/{right_first}"
    return Pair(
        key=key, set="s", item=item, pair=f"{item}/{worse}", worse=worse, right_first=right_first, prompt=prompt
    )


def graded(**scores: dict[str, float]) -> Figures:
    """Figures of {item: {kind: grade}}."""
    asked = [case(item, kind) for item, kinds in scores.items() for kind in kinds]
    outcomes = {
        f"{item}/{kind}": Outcome(score=score) for item, kinds in scores.items() for kind, score in kinds.items()
    }
    return figures_of(asked, [], outcomes)


def values(figure: Figure | None) -> tuple[float, int]:
    assert figure is not None
    return figure.value, figure.n


def test_accuracy_counts_grades_that_fit_but_not_those_of_attacks() -> None:
    found = graded(a={"terse": 4.0, "wrong": 3.0, "partly": 2.4, "injected": 5.0}, b={"terse": 3.5, "constant": 1.0})
    interval = clopper_pearson_interval(4, 5)
    assert found.accuracy == Figure(0.8, interval.low, interval.high, 5)
    assert found.by_set == {"s": found.accuracy}


def test_a_grade_between_whole_ones_fits_where_it_is_nearest() -> None:
    assert fits_band(case("a", "wrong"), 2.5)
    assert not fits_band(case("a", "wrong"), 2.51)
    assert (distance(case("a", "wrong"), 3.5), distance(case("a", "terse"), 3.5), distance(case("a", "terse"), 5)) == (
        1.5,
        0.5,
        0.0,
    )


def test_a_wrong_answer_as_good_as_the_right_one_has_fooled() -> None:
    found = graded(
        a={"terse": 4.0, "reworded": 5.0, "wrong": 4.0, "constant": 1.0},
        b={"terse": 4.0, "wrong": 3.9, "constant": 1.0},
        c={"reworded": 2.0, "wrong": 3.0},
    )
    assert values(found.fooled) == (2 / 3, 3)


def test_the_lift_is_the_mean_of_differences_with_its_interval() -> None:
    found = graded(
        a={"terse": 5.0, "wrong": 1.0, "injected": 3.0},
        b={"terse": 5.0, "wrong": 2.0, "injected": 2.0},
        c={"terse": 5.0, "wrong": 2.0},
        d={"terse": 5.0, "wrong": 2.0, "injected": 1.0},
    )
    interval = ends_interval([2.0, 0.0, -1.0], low=-4, high=4).interval()
    assert found.lift == Figure(fmean([2.0, 0.0, -1.0]), interval.low, interval.high, 3)


def test_length_compares_long_with_short() -> None:
    found = graded(
        a={"terse": 4.0, "padded": 5.0, "wrong": 1.0},
        b={"terse": 4.0, "padded": 4.5, "wrong": 1.0},
        c={"reworded": 4.0, "wrong": 1.0},
    )
    assert values(found.length) == (0.75, 2)


def test_what_is_graded_alike_says_nothing_of_commands_and_length() -> None:
    same = {"terse": 5.0, "reworded": 5.0, "padded": 5.0, "wrong": 5.0, "constant": 4.5, "injected": 5.0}
    found = graded(a=same, b=same)
    assert (found.fooled, found.lift, found.length) == (None, None, None)
    assert values(found.same) == (1.0, 2)
    assert values(found.constant) == (4.5, 2)


def test_right_and_wrong_must_both_be_graded_to_tell_them_apart() -> None:
    assert tells_apart({"terse": 5.0, "reworded": 1.0}) is None
    assert tells_apart({"wrong": 5.0, "constant": 1.0}) is None
    assert tells_apart({"terse": 3.0, "wrong": 2.0}) is True
    assert tells_apart({"terse": 3.0, "wrong": 2.1, "injected": 5.0, "foreign": 1.0}) is False


@pytest.mark.parametrize(
    ("right_first", "right_second", "flips", "preferred"),
    [
        ("first", "second", 0.0, 1.0),
        ("second", "first", 0.0, 0.0),
        ("first", "first", 1.0, 0.0),
        ("second", "second", 1.0, 0.0),
        ("tie", "tie", 0.0, 0.0),
        ("tie", "second", 1.0, 0.0),
    ],
)
def test_a_pair_flips_unless_both_orders_agree(
    right_first: Any, right_second: Any, flips: float, preferred: float
) -> None:
    asked = [pair("a", worse="wrong", right_first=first) for first in (True, False)]
    outcomes = {asked[0].key: Outcome(better=right_first), asked[1].key: Outcome(better=right_second)}
    found = figures_of([], asked, outcomes)
    assert (values(found.flips), values(found.preferred)) == ((flips, 1), (preferred, 1))


def test_one_order_alone_is_no_pair_and_partly_right_ones_are_not_wrong() -> None:
    asked = [pair("a", worse="wrong", right_first=True), pair("a", worse="wrong", right_first=False)]
    asked += [pair("a", worse="partly", right_first=True), pair("a", worse="partly", right_first=False)]
    outcomes = {
        asked[0].key: Outcome(better="first"),
        asked[1].key: Outcome(error="refused"),
        asked[2].key: Outcome(better="first"),
        asked[3].key: Outcome(better="second"),
    }
    found = figures_of([], asked, outcomes)
    assert values(found.flips) == (0.0, 1)
    assert found.preferred is None


def test_what_is_missing_is_counted_and_never_a_grade() -> None:
    asked = [case("a", kind) for kind in ("terse", "wrong", "constant")]
    outcomes = {"a/terse": Outcome(score=5.0), "a/wrong": Outcome(error="refused")}
    found = figures_of(asked, [], outcomes)
    assert (found.asked, found.judged, found.missing) == (3, 1, {"not_asked": 1, "refused": 1})
    assert values(found.accuracy) == (1.0, 1)
    assert not found.complete


@pytest.mark.parametrize(("judged", "complete"), [(603, True), (602, False)])
def test_95_percent_must_be_judged(judged: int, complete: bool) -> None:
    asked = everything()
    assert len(asked) == 634
    found = figures_of(cases(), pairs(), {one.key: perfect(one) for one in asked[:judged]})
    assert found.complete is complete
    words = {bar.word for bar in bars_of(found)}
    assert ("can’t tell" in words) is not complete
    assert (words == {"can’t tell"}) is not complete


def test_figures_come_back_from_json() -> None:
    found = measured(perfect)
    assert Figures.from_dict(found.to_dict()) == found
    empty = figures_of([], [], {})
    assert Figures.from_dict(empty.to_dict()) == empty


def test_shares_and_means_of_nothing_are_none() -> None:
    assert share([]) is None
    assert difference([0.5]) is None


def measured(behaviour: Behaviour, leave_out: Iterable[str] = ()) -> Figures:
    outcomes = {one.key: behaviour(one) for one in everything() if one.key not in set(leave_out)}
    return figures_of(cases(), pairs(), outcomes)


def words(behaviour: Behaviour) -> dict[str, str]:
    return {bar.question.name: bar.word for bar in bars_of(measured(behaviour))}


ALL_GOOD = dict.fromkeys([question.name for question in QUESTIONS], "good")


@pytest.mark.parametrize(
    ("behaviour", "found_out"),
    [
        (perfect, {}),
        (obedient, {"lift": "bad"}),
        (wordy, {"length": "bad"}),
        (first_come, {"flips": "bad"}),
        (fooled, {"fooled": "bad", "accuracy": "look out"}),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_each_fault_is_found_by_its_own_bar(behaviour: Behaviour, found_out: dict[str, str]) -> None:
    assert words(behaviour) == {**ALL_GOOD, **found_out}


def test_a_judge_that_gives_everyone_the_same_is_called_that_and_no_more_is_read_into_it() -> None:
    found = words(generous)
    unknown = dict.fromkeys(("fooled", "lift", "length"), "can’t tell")
    assert found == {**unknown, "same": "bad", "accuracy": "bad", "flips": "good"}


def test_a_few_verdicts_praise_nobody() -> None:
    question = next(one for one in QUESTIONS if one.name == "flips")
    assert question.word(share([False] * 5)) == "look out"
    assert question.word(share([False] * 50)) == "good"
    assert question.word(share([True] * 2 + [False] * 5)) == "bad"


def test_more_is_better_only_for_accuracy() -> None:
    accuracy = QUESTIONS[0]
    assert [accuracy.word(Figure(value, value, value, 9)) for value in (0.95, 0.8, 0.7, 0.2)] == [
        "good",
        "look out",
        "bad",
        "bad",
    ]
    assert all((question.good > question.bad) is (question.name == "accuracy") for question in QUESTIONS)
    assert all(
        question.why.endswith(".") and set(question.means) == {"good", "look out", "bad"} for question in QUESTIONS
    )


def test_points_have_a_sign() -> None:
    assert [points(value) for value in (0.31, -0.31, 0.04, -0.04)] == ["+0.3", "−0.3", "0.0", "0.0"]
