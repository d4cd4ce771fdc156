"""What the check counts of the answers, from which a recipe is suggested."""

import json
from pathlib import Path

import pytest

from corpora.ingest.assembly.answers import Answers
from corpora.ingest.contracts import AnswerProfile
from tests.corpora.conftest import jsonl
from tests.corpora.ingest.checking import check


def counted(*answers: str) -> AnswerProfile:
    found = Answers()
    for answer in answers:
        found.add(answer)
    summary = found.summary()
    assert summary is not None
    return summary


def test_no_answers_have_no_profile() -> None:
    assert Answers().summary() is None


def test_labels_are_told_apart_by_neither_case_nor_white_space() -> None:
    found = counted("IT", "it ", "Human  Resources", "human resources", "Facilities")
    assert (found.rows, found.distinct, found.longest) == (5, 3, 16)


@pytest.mark.parametrize(
    ("answer", "is_json"),
    [
        (json.dumps({"team": "IT", "urgent": True}), True),
        (" [1, 2]\n", True),
        ("{not json}", False),
        ("[sic] he wrote", False),
        ("12", False),
        ("{" * 5000, False),
        ('{"lone": "\ud800"}', False),
        ("", False),
    ],
    ids=["object", "list", "braces", "bracket", "number", "deep", "surrogate", "empty"],
)
def test_an_object_or_a_list_is_json(answer: str, is_json: bool) -> None:
    assert counted(answer).json == is_json


def test_lines_with_the_same_separators_have_one_form() -> None:
    assert counted("termination | Client | 14 days", "payment | Supplier | 30 days", "none").same_form == 2
    assert counted("Name: A\nTeam: B", "Name: C\nTeam: D").same_form == 2
    assert counted("Thank you, we will call.", "Please wait.").same_form == 0


def test_the_profile_of_a_dataset_has_them(tmp_path: Path) -> None:
    rows = [{"prompt": f"Request {number}", "completion": ("IT", "HR", "Payroll")[number % 3]} for number in range(30)]
    profile = check(jsonl(*rows), tmp_path / "a").report.profile
    assert profile is not None
    assert profile.answers == AnswerProfile(rows=30, distinct=3, longest=7, json=0, same_form=0)
