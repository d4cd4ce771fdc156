"""Test rows much like training rows are left out where that is chosen."""

from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from corpora.ingest.texts import near
from corpora.ingest.texts.near import NearTexts, near_pairs
from tests.corpora.conftest import jsonl, pairs
from tests.corpora.corpus import writing
from tests.corpora.ingest.checking import check
from tests.corpora.ingest.test_leaked_test_rows import near_rows, notice

LEFT_OUT = {"near_leaks": "leave_out"}


@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize("file_format", ["jsonl", "csv", "parquet"])
def test_they_are_left_out_and_nothing_else(tmp_path: Path, file_format: str, backwards: bool) -> None:
    rows = near_rows(training=40, test=18, alike=16)
    rows = rows[::-1] if backwards else rows
    content = writing.write(rows, file_format)
    before, after = check(content, tmp_path / "a"), check(content, tmp_path / "b", options=LEFT_OUT)
    lines = [finding["line"] for finding in before.findings if finding["code"] == "dataset:near_leak"]
    assert len(lines) == 16
    assert (before.report.test, after.report.test) == (18, 2)
    assert after.train == before.train
    near_findings = [finding for finding in after.findings if finding["code"] == "dataset:near_leak"]
    assert [(finding["line"], finding["kept"]) for finding in near_findings] == [
        (line, False) for line in sorted(lines)
    ]
    found = notice(after, "dataset:near_leak")
    assert (found.count, found.decision, found.test_rows, found.test_rows_read) == (16, "", 0, 2)
    assert "left out" in found.text
    assert notice(before, "dataset:near_leak").decision == "near_leaks"


def test_a_file_without_any_is_as_it_was(tmp_path: Path) -> None:
    before, after = check(pairs(300), tmp_path / "a"), check(pairs(300), tmp_path / "b", options=LEFT_OUT)
    assert (after.train, after.test, after.findings) == (before.train, before.test, before.findings)


def test_in_a_large_file_all_rows_are_compared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("corpora.ingest.assembly.near_leaks.AT_ONCE", 7)
    rows = near_rows(training=40, test=18, alike=16)
    outcome = check(jsonl(*rows), tmp_path / "a", sampled_rows=5, options=LEFT_OUT)
    assert (outcome.report.train, outcome.report.test) == (40, 2)
    assert notice(outcome, "dataset:near_leak").count == 16


def test_what_could_not_be_compared_is_still_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = near_rows(training=40, test=18, alike=18)
    monkeypatch.setattr(near, "MAX_TRIPLES", 100)
    found = notice(check(jsonl(*rows), tmp_path / "a", options=LEFT_OUT), "dataset:near_leak")
    assert 0 < found.test_rows == found.test_rows_read < 18
    assert found.count == 18


@pytest.mark.parametrize("alike", [1, 5])
def test_where_none_is_left_words_say_so(tmp_path: Path, alike: int) -> None:
    rows = near_rows(training=20, test=alike, alike=alike)
    outcome = check(jsonl(*rows), tmp_path / "a", options=LEFT_OUT)
    assert outcome.report.accepted
    assert (outcome.report.train, outcome.report.test) == (20, 0)
    text = notice(outcome, "dataset:no_test_rows").text
    assert text.startswith("All 5 test rows were" if alike > 1 else "The only test row was")
    assert "no test rows are left" in text


def test_one_training_row_may_be_all_that_is_left(tmp_path: Path) -> None:
    rows = near_rows(training=1, test=1, alike=1)
    outcome = check(jsonl(*rows), tmp_path / "a", options=LEFT_OUT)
    assert outcome.report.accepted
    assert (outcome.report.train, outcome.report.test) == (1, 0)


@pytest.mark.parametrize("leaks", ["keep", "leave_out"])
def test_a_training_row_with_the_prompt_of_one_left_out_leaks_nothing(tmp_path: Path, leaks: str) -> None:
    rows = near_rows(training=20, test=4, alike=2)
    rows += [{"prompt": rows[0]["prompt"], "completion": "other", "split": "train"}]
    outcome = check(jsonl(*rows), tmp_path / "a", options=LEFT_OUT | {"leaks": leaks})
    assert (outcome.report.train, outcome.report.test) == (21, 2)
    assert "dataset:leak" not in {found.code for found in outcome.report.warnings}


@pytest.mark.parametrize("seed", range(3))
def test_drawn_splits_keep_every_other_row_where_it_was(tmp_path: Path, seed: int) -> None:
    random = Random(seed)
    texts = [" ".join(random.choices("abcdefghijklmnopqrstuvwxyz", k=12)) for _ in range(80)]
    rows = [
        {"prompt": f"{random.choice(texts)} {random.choice('xyz')}", "completion": f"a{i}", "label": f"l{i % 3}"}
        for i in range(300)
    ]
    options = {"test_share": 0.3, "seed": seed}
    before = check(jsonl(*rows), tmp_path / "a", options=options)
    after = check(jsonl(*rows), tmp_path / "b", options=options | LEFT_OUT)
    assert after.train == before.train
    gone = {row["id"] for row in before.test} - {row["id"] for row in after.test}
    assert 0 < len(gone) < len(before.test)
    assert notice(after, "dataset:near_leak").test_rows == 0


def word_texts(random: Random, count: int) -> list[str]:
    return [" ".join(random.choices("abcd", k=random.randrange(5, 14))) for _ in range(count)]


@pytest.mark.parametrize("seed", range(20))
def test_it_finds_what_the_pairs_of_a_sample_have(seed: int) -> None:
    random = Random(seed)
    learnt, tests = word_texts(random, 60), word_texts(random, 30)
    looked_up = NearTexts(tests)
    for start in range(0, len(learnt), 7):
        looked_up.look_up(learnt[start : start + 7])
    comes_last: Callable[[int], bool] = lambda number: number >= len(learnt)  # noqa: E731
    found = near_pairs([*learnt, *tests], comes_last=comes_last)
    expected = {pair.later - len(learnt) for pair in found if pair.earlier < len(learnt) <= pair.later}
    assert {number for number, is_near in enumerate(looked_up.found.tolist()) if is_near} == expected


def test_many_test_rows_like_one_training_row_are_all_found() -> None:
    text = "the tenant may end this lease by written notice of three months to the end of a month unless agreed"
    looked_up = NearTexts([f"{text} otherwise {number}" for number in range(500)])
    for number in range(12):
        looked_up.look_up([f"{text} otherwise x{number}"])
    assert looked_up.found.all()
