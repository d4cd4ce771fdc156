"""What the check counts of the answers, from which a recipe is suggested."""

import json
import tracemalloc
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
    ],
    ids=["object", "list", "braces", "bracket", "number", "deep", "surrogate"],
)
def test_an_object_or_a_list_is_json(answer: str, is_json: bool) -> None:
    assert counted(answer).json == is_json


def test_lines_with_the_same_separators_have_one_form() -> None:
    assert counted("termination | Client | 14 days", "payment | Supplier | 30 days", "none").same_form == 2
    assert counted("Name: A\nTeam: B", "Name: C\nTeam: D").same_form == 2
    assert counted("Thank you, we will call.", "Please wait.").same_form == 0


@pytest.mark.parametrize(
    "texts",
    [
        ("First paragraph.\n\nSecond one.", "Another text.\n\nIts end."),
        ("Dear customer 1,\nthanks", "Dear customer 2,\nthanks"),
        ("One line.\r\n\r\nOther line.", "Some line.\r\n\r\nLast line."),
    ],
    ids=["paragraphs", "salutations", "windows"],
)
def test_line_breaks_alone_are_no_form(texts: tuple[str, str]) -> None:
    assert counted(*texts).same_form == 0


def test_empty_answers_do_not_count() -> None:
    assert counted("", "Done.", " \n", "Done.") == AnswerProfile(rows=2, distinct=1, longest=5, json=0, same_form=0)
    only_empty = Answers()
    only_empty.add("")
    assert only_empty.summary() is None


def test_long_answers_are_not_kept() -> None:
    found = Answers()
    tracemalloc.start()
    try:
        for number in range(50):
            found.add(f"{number} | " + "long; " * 50_000)
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    summary = found.summary()
    assert summary is not None
    assert (summary.distinct, summary.same_form) == (50, 50)
    assert kept < 2**20, "50 answers of 300 kB each are more than 14 MiB"


def test_calls_of_tools_are_not_among_the_answers(tmp_path: Path) -> None:
    called = {"type": "function", "id": "c1", "function": {"name": "look", "arguments": "{}"}}
    tools = [{"type": "function", "function": {"name": "look", "parameters": {"type": "object", "properties": {}}}}]
    rows = [
        {
            "messages": [
                {"role": "user", "content": f"Request {number}"},
                {"role": "assistant", "content": "Done."}
                if number < 20
                else {"role": "assistant", "content": None, "tool_calls": [called]},
            ],
            "tools": tools,
        }
        for number in range(50)
    ]
    profile = check(jsonl(*rows), tmp_path / "a").report.profile
    assert profile is not None
    assert profile.sampled == 50
    assert profile.answers == AnswerProfile(rows=20, distinct=1, longest=5, json=0, same_form=0)


def test_the_profile_of_a_dataset_has_them(tmp_path: Path) -> None:
    rows = [{"prompt": f"Request {number}", "completion": ("IT", "HR", "Payroll")[number % 3]} for number in range(30)]
    profile = check(jsonl(*rows), tmp_path / "a").report.profile
    assert profile is not None
    assert profile.answers == AnswerProfile(rows=30, distinct=3, longest=7, json=0, same_form=0)
