"""What is asked: one criterion a call, pairs in both orders, nothing twice, and nothing held in memory."""

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from evaluations.judges.prompts import GradePrompt, PairPrompt
from evaluations.judging.plan import Plan, Row, numbered
from evaluations.rubrics.starting import starters
from tests.evaluations.judging.case import one_criterion, row, rubric


def test_each_answer_is_graded_by_each_criterion() -> None:
    asked = list(Plan(rubric=rubric()).questions(row(3)))
    assert [(question.criterion, question.models) for question in asked] == [
        ("Correctness", ("base",)), ("Correctness", ("v1",)), ("Brevity", ("base",)), ("Brevity", ("v1",)),
    ]  # fmt: skip
    for question in asked:
        assert isinstance(question.prompt, GradePrompt)
        assert "SHELF 3 row 3" in question.prompt.user
        assert "Grade by the expected answer." in question.prompt.system


def test_pairs_are_asked_in_both_orders() -> None:
    asked = [
        one for one in Plan(rubric=one_criterion(), pairs=(("v1", "base"),)).questions(row(3)) if len(one.models) == 2
    ]
    assert [question.models for question in asked] == [("v1", "base"), ("base", "v1")]
    prompts = [question.prompt for question in asked]
    assert all(isinstance(prompt, PairPrompt) for prompt in prompts)
    assert prompts[0].sha256 != prompts[1].sha256


def test_the_same_answer_of_two_models_is_one_prompt_and_no_pair() -> None:
    plan = Plan(rubric=one_criterion(), pairs=(("v1", "v2"),))
    asked = list(plan.questions(row(3, {"v1": "SHELF 3", "v2": "SHELF 3"})))
    assert [question.models for question in asked] == [("v1",), ("v2",)]
    assert len({question.prompt.sha256 for question in asked}) == 1


def test_a_model_without_an_answer_is_not_asked_about() -> None:
    plan = Plan(rubric=one_criterion(), pairs=(("base", "v1"), ("v1", "v2")))
    assert [question.models for question in plan.questions(row(3, {"v1": "SHELF 3"}))] == [("v1",)]


def test_rows_with_one_prompt_share_its_key() -> None:
    assert row(3).prompt_key == row(3, {"v1": "another"}).prompt_key
    assert row(3).prompt_key != row(4).prompt_key
    assert replace(row(3), prompt="p").prompt_key == "p"


def test_a_plan_reads_its_rows_one_at_a_time() -> None:
    read: list[int] = []

    def some() -> Iterator[Row]:
        for number in range(1_000):
            read.append(number)
            yield row(number)

    next(numbered(Plan(rubric=rubric()), some()))
    assert read == [0]


@pytest.mark.slow
def test_memory_is_flat_for_twenty_thousand_rows() -> None:
    plan = Plan(rubric=starters()["summarisation"])
    answers = {name: f"{name}: " + "a" * 200 for name in ("base", "v1", "v2", "v3")}
    held = []
    count = 0
    for count, _ in enumerate(numbered(plan, (row(number, answers) for number in range(20_000))), 1):
        if count % 20_000 == 0:
            held.append(memory())
    assert count == 20_000 * 4 * 3
    assert max(held) - held[0] < 20 * 2**20


def memory() -> int:
    """Bytes of this process that are in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
