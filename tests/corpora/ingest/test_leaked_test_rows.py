"""How many test rows a leak or a near leak concerns: told exactly."""

from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest

from corpora.ingest.assembly import leaks
from corpora.ingest.assembly.leaks import LeakedTests
from corpora.ingest.contracts import Notice
from tests.corpora.conftest import jsonl
from tests.corpora.ingest.checking import Outcome, check

TEXT = "the tenant may end this lease by written notice of three months to the end of a month unless agreed otherwise"


def notice(outcome: Outcome, code: str) -> Notice:
    return next(found for found in outcome.report.warnings if found.code == code)


def split_rows(seed: int) -> list[dict[str, Any]]:
    """Prompts that come once or often, in one split or both, in any order."""
    random = Random(seed)
    rows = [
        {
            "prompt": f"q{random.randrange(60)}",
            "completion": f"a{i}",
            "split": random.choice(["train", "train", "test"]),
        }
        for i in range(120)
    ]
    return rows + [{"prompt": "alone", "completion": "a", "split": split} for split in ("train", "test")]


@pytest.mark.parametrize("seed", range(5))
def test_every_test_row_with_a_training_prompt_counts_once(tmp_path: Path, seed: int) -> None:
    rows = split_rows(seed)
    outcome = check(jsonl(*rows), tmp_path / "a")
    learnt = {row["messages"][0]["content"] for row in outcome.train}
    leaked = sum(row["messages"][0]["content"] in learnt for row in outcome.test)
    found = notice(outcome, "dataset:leak")
    assert 0 < leaked < len(outcome.test)
    assert (found.test_rows, found.test_rows_read) == (leaked, len(outcome.test))


def test_no_test_row_is_leaked_once_leaks_are_left_out(tmp_path: Path) -> None:
    outcome = check(jsonl(*split_rows(0)), tmp_path / "a", options={"leaks": "leave_out"})
    found = notice(outcome, "dataset:leak")
    assert (found.test_rows, found.test_rows_read) == (0, len(outcome.test))


def test_prompts_that_wait_are_read_in_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leaks, "CHUNK_BYTES", 16)
    prompts = np.arange(1, 10, dtype=np.uint64) << np.uint64(32)
    yes, no = np.ones(9, dtype=np.bool_), np.zeros(9, dtype=np.bool_)
    with LeakedTests(tmp_path) as counted:
        counted.add(prompts, yes, no)
        assert counted.count() == 0
        counted.add(prompts[4:8], no[:4], yes[:4])
        counted.add(prompts[:2], yes[:2], yes[:2])
        assert (counted.count(), counted.count()) == (6, 6)
    assert not list(tmp_path.iterdir())


def near_rows(training: int, test: int, alike: int) -> list[dict[str, Any]]:
    """Of the test rows, the first `alike` are much like a training row, and all of them much like one another."""
    random = Random(7)
    words = TEXT.split()

    def text(number: int) -> str:
        random.shuffle(words)
        return f"{' '.join(words)} case {number}"

    learnt = [text(number) for number in range(training)]
    asked = [f"{learnt[number % training].upper()}, please" for number in range(alike)]
    asked += [text(1000 + number) for number in range(test - alike)]
    tests = [{"prompt": prompt, "completion": f"b{i}", "split": "test"} for i, prompt in enumerate(asked)]
    return tests + [{"prompt": prompt, "completion": "a", "split": "train"} for prompt in learnt]


@pytest.mark.parametrize("backwards", [False, True])
def test_each_test_row_much_like_a_training_row_is_one_near_leak(tmp_path: Path, backwards: bool) -> None:
    rows = near_rows(training=40, test=18, alike=16)
    # Much like a test row and a training row: a near leak all the same.
    rows.append({"prompt": f"{rows[0]['prompt']} now", "completion": "c", "split": "test"})
    alike = [*rows[:16], rows[-1]]
    rows = rows[::-1] if backwards else rows
    outcome = check(jsonl(*rows), tmp_path / "a")
    found = notice(outcome, "dataset:near_leak")
    assert (found.count, found.test_rows, found.test_rows_read) == (17, 17, 19)
    near = [finding for finding in outcome.findings if finding["code"] == "dataset:near_leak"]
    assert sorted(finding["line"] for finding in near) == sorted(rows.index(row) + 1 for row in alike)
    assert all("in the other split" in finding["text"] for finding in near)


def test_in_a_large_file_it_is_told_of_how_many_test_rows(tmp_path: Path) -> None:
    rows = near_rows(training=40, test=18, alike=18)
    outcome = check(jsonl(*rows), tmp_path / "a", sampled_rows=30)
    found = notice(outcome, "dataset:near_leak")
    assert 0 < found.test_rows <= found.test_rows_read < 18
