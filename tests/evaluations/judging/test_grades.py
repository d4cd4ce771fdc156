"""Scores become a grade from 1 to 5 by the rubric's weights; what is missing lowers nothing and hides nothing."""

from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluations.judging.grades import AnswerGrade, Score, grade_of, on_scale
from evaluations.rubrics.document import RubricDocument, parsed
from tests.evaluations.judging.case import rubric
from tests.examples import examples


def scores(**values: float | None) -> dict[str, Score]:
    return {name: Score(value=value, error="" if value is not None else "refused") for name, value in values.items()}


def grade(**values: float | None) -> AnswerGrade:
    return grade_of(rubric(), {"judge": scores(**values)})


def test_criteria_count_by_their_weight_on_one_scale() -> None:
    found = grade(Correctness=4, Brevity=3)
    # (2 * 4 + 1 * 5) / 3: brevity's highest grade is 3.
    assert found.grade == pytest.approx(13 / 3)
    assert found.by_criterion == {"Correctness": 4.0, "Brevity": 5.0}
    assert (found.spread, found.uncertainty, found.missing) == (None, None, {})


def test_without_a_required_score_there_is_no_grade() -> None:
    found = grade(Correctness=None, Brevity=3)
    assert found.grade is None
    assert found.missing == {"refused": 1}
    assert found.by_criterion == {"Correctness": None, "Brevity": 5.0}


def test_an_optional_score_that_is_missing_weighs_nothing() -> None:
    found = grade(Correctness=4, Brevity=None)
    assert (found.grade, found.missing) == (4.0, {})


def test_nothing_asked_yet_is_no_grade() -> None:
    found = grade_of(rubric(), {"judge": {}})
    assert (found.grade, found.missing) == (None, {"": 1})
    assert grade_of(rubric(), {}).grade is None


def test_a_jury_is_its_judges_mean_and_their_disagreement() -> None:
    found = grade_of(
        rubric(), {"one": scores(Correctness=5), "two": scores(Correctness=2), "three": scores(Correctness=2)}
    )
    assert (found.grade, found.spread, found.uncertainty) == (3.0, 3.0, 0.75)
    assert found.by_judge == {"one": 5.0, "two": 2.0, "three": 2.0}


def test_a_judge_without_a_grade_leaves_the_jury_without_one() -> None:
    """The mean of those that replied is not comparable: a strict judge may be the one missing."""
    found = grade_of(rubric(), {"one": scores(Correctness=5), "two": scores(Correctness=None)})
    assert (found.grade, found.spread, found.missing) == (None, None, {"refused": 1})
    assert found.by_judge == {"one": 5.0, "two": None}
    assert found.by_criterion["Correctness"] is None


def test_reasons_are_told_by_criterion() -> None:
    given = {"Correctness": Score(value=4, reason="Right."), "Brevity": Score(value=1, reason="Long.")}
    found = grade_of(rubric(), {"one": given, "two": scores(Correctness=None)})
    assert found.reason == "Correctness: Right.\n\nBrevity: Long."
    assert found.detail["Correctness"] == {
        "one": {"score": 4, "reason": "Right.", "error": ""}, "two": {"score": None, "reason": "", "error": "refused"},
    }  # fmt: skip


def test_a_score_off_the_scale_is_an_error() -> None:
    with pytest.raises(ValueError, match="off the scale"):
        on_scale(6.0, rubric().criteria[0].criterion)


@st.composite
def rubrics(draw: st.DrawFn) -> RubricDocument:
    criteria = []
    for number in range(draw(st.integers(1, 6))):
        lowest = draw(st.integers(0, 5))
        criteria.append(
            {
                "name": f"criterion {number}",
                "description": "d",
                "scale": [lowest, draw(st.integers(lowest + 1, 10))],
                "weight": draw(st.floats(0.01, 100, allow_nan=False)),
                "required": draw(st.booleans()),
            }
        )
    return parsed({"name": "r", "criteria": criteria})


@st.composite
def cases(draw: st.DrawFn) -> tuple[RubricDocument, dict[str, dict[str, Score]]]:
    document = draw(rubrics())
    found: dict[str, dict[str, Score]] = {}
    for judge in range(draw(st.integers(1, 4))):
        found[f"judge {judge}"] = {
            one.criterion.name: Score(value=value, error="" if value is not None else "refused")
            for one in document.criteria
            if (value := draw(st.none() | st.floats(one.criterion.lowest, one.criterion.highest))) is not None
            or draw(st.booleans())
        }
    return document, found


def complete(document: RubricDocument, found: Mapping[str, Mapping[str, Score]]) -> bool:
    return all(
        found_by.get(one.criterion.name, Score()).value is not None
        for found_by in found.values()
        for one in document.criteria
        if one.required
    )


@given(cases())
@settings(max_examples=examples(300))
def test_a_grade_is_on_the_scale_and_there_only_if_all_that_is_required_is(
    case: tuple[RubricDocument, dict[str, dict[str, Score]]],
) -> None:
    document, found = case
    result = grade_of(document, found)
    if result.grade is None:
        nothing = any(all(score.value is None for score in by.values()) for by in found.values())
        assert result.missing or nothing
    else:
        assert complete(document, found)
        assert not result.missing
        assert 1 <= result.grade <= 5
        given_by = [grade for grade in result.by_judge.values() if grade is not None]
        assert min(given_by) - 1e-9 <= result.grade <= max(given_by) + 1e-9
    if result.spread is not None:
        assert 0 <= result.spread <= 4


@given(cases(), st.data())
@settings(max_examples=examples(200))
def test_a_higher_score_never_lowers_the_grade(
    case: tuple[RubricDocument, dict[str, dict[str, Score]]], data: st.DataObject
) -> None:
    document, found = case
    before = grade_of(document, found)
    judge = data.draw(st.sampled_from(sorted(found)))
    one = data.draw(st.sampled_from(document.criteria))
    score = found[judge].get(one.criterion.name, Score())
    if score.value is None:
        return
    higher = data.draw(st.floats(score.value, one.criterion.highest))
    after = grade_of(document, {**found, judge: {**found[judge], one.criterion.name: Score(value=higher)}})
    assert (after.grade is None) is (before.grade is None)
    if after.grade is not None and before.grade is not None:
        assert after.grade >= before.grade - 1e-9


@given(cases())
@settings(max_examples=examples(200))
def test_the_order_of_judges_and_the_size_of_weights_do_not_matter(
    case: tuple[RubricDocument, dict[str, dict[str, Score]]],
) -> None:
    document, found = case
    criteria = [{**one, "weight": one["weight"] / 2} for one in document.to_dict()["criteria"]]
    halved = parsed({**document.to_dict(), "criteria": criteria})
    before = grade_of(document, found).grade
    after = grade_of(halved, dict(reversed(found.items()))).grade
    assert after == before if before is None else after == pytest.approx(before)
