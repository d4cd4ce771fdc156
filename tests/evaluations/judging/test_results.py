"""From rows to grades and preferences, through the stored verdicts."""

import pytest
from django.core.cache import cache

from evaluations.judges.backends.errors import JudgeError, Refused
from evaluations.judges.prompts import Choice, Prompt
from evaluations.judging.asking import ask
from evaluations.judging.plan import Plan
from evaluations.judging.results import results
from evaluations.judging.summary import summarise
from tenants.models import Tenant
from tests.evaluations.judging.case import by_rule, one_criterion, row, rows, scripted_juror

PLAN = Plan(rubric=one_criterion(), pairs=(("v1", "base"),))

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def nothing_is_claimed() -> None:
    cache.clear()


def test_the_better_model_has_the_better_grades_and_wins(in_tenant: Tenant) -> None:
    juror, judge = scripted_juror()
    ask(juror, PLAN, rows(50))
    found = summarise(PLAN, results([juror], PLAN, rows(50)))
    assert {model.model: model.mean for model in found.models} == {"base": 1.0, "v1": 5.0}
    (pair,) = found.pairs
    assert (pair.wins, pair.flip_rate, pair.verdict) == (50, 0.0, "better")
    assert found.complete
    assert len(judge.asked) == 200


def test_a_judge_that_prefers_what_stands_first_decides_nothing(in_tenant: Tenant) -> None:
    juror, _ = scripted_juror(lambda prompt: "first" if prompt.asks == "better" else 3)
    ask(juror, PLAN, rows(30))
    (pair,) = summarise(PLAN, results([juror], PLAN, rows(30))).pairs
    assert (pair.ties, pair.flip_rate, pair.win_rate, pair.verdict) == (30, 1.0, 0.5, "unclear")


def test_a_jury_disagrees_where_its_judges_do(in_tenant: Tenant) -> None:
    strict, _ = scripted_juror(lambda prompt: "tie" if prompt.asks == "better" else 2, name="strict")
    kind, _ = scripted_juror(lambda prompt: "tie" if prompt.asks == "better" else 4, name="kind")
    for juror in (strict, kind):
        ask(juror, PLAN, rows(3))
    for result in results([strict, kind], PLAN, rows(3)):
        grade = result.grades["v1"]
        assert (grade.grade, grade.spread, grade.by_judge) == (3.0, 2.0, {"strict": 2.0, "kind": 4.0})
        assert grade.detail["Correctness"]["kind"] == {"score": 4.0, "reason": "As I see it.", "error": ""}
        assert grade.reason == "As I see it."


def test_what_is_missing_is_no_grade(in_tenant: Tenant) -> None:
    def respond(prompt: Prompt) -> Choice | JudgeError:
        return Refused("no") if "box 1?" in prompt.user else by_rule(prompt)

    juror, _ = scripted_juror(respond)
    ask(juror, PLAN, rows(2))
    refused, unasked = [next(results([juror], PLAN, [row(number)])) for number in (1, 2)]
    assert refused.grades["v1"].grade is None
    assert refused.grades["v1"].missing == {"refused": 1}
    assert (refused.preferences["v1", "base"].outcome, refused.preferences["v1", "base"].missing) == (
        None,
        {"refused": 2},
    )
    assert unasked.grades["v1"].missing == {"": 1}
    assert unasked.preferences["v1", "base"].missing == {"": 2}


def test_equal_answers_get_equal_grades_for_one_call(in_tenant: Tenant) -> None:
    same = row(1, {"base": "SHELF 1 row 1", "v1": "SHELF 1 row 1"})
    juror, judge = scripted_juror()
    ask(juror, PLAN, [same])
    (result,) = results([juror], PLAN, [same])
    assert {grade.grade for grade in result.grades.values()} == {5.0}
    assert result.preferences["v1", "base"].outcome == 0
    assert len(judge.asked) == 1


def test_two_judges_of_one_name_are_refused(in_tenant: Tenant) -> None:
    juror, _ = scripted_juror()
    with pytest.raises(ValueError, match="same name"):
        next(results([juror, juror], PLAN, rows(1)))
