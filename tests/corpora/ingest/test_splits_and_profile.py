"""Which rows are held out, and what the profile says of them."""

from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest

from corpora.ingest.assembly.profile import Lengths
from corpora.ingest.contracts import MAX_SLICES
from corpora.ingest.formats import blocks
from tests.corpora.conftest import jsonl, pairs
from tests.corpora.ingest.checking import Outcome, check


def test_a_tenth_is_held_out_and_every_row_is_in_one_split(tmp_path: Path) -> None:
    outcome = check(pairs(2000), tmp_path / "a")
    train, test = ({row["id"] for row in rows} for rows in (outcome.train, outcome.test))
    assert not train & test
    assert train | test == {row["id"] for row in outcome.rows}
    assert 150 < len(test) < 250
    assert (outcome.report.train, outcome.report.test) == (len(train), len(test))


@pytest.mark.parametrize("count", [2, 3, 10])
def test_neither_split_of_a_small_file_is_empty(count: int, tmp_path: Path) -> None:
    outcome = check(pairs(count), tmp_path / "a")
    assert outcome.train
    assert outcome.test


@pytest.mark.parametrize("test_share", [0.1, 0.9, 1.0])
@pytest.mark.parametrize("columns", [{}, {"group": "g"}], ids=["prompt", "group"])
def test_rows_of_one_prompt_or_group_are_for_training(
    columns: dict[str, str], test_share: float, tmp_path: Path
) -> None:
    rows = [{"prompt": f"q{i if columns else 0}", "completion": f"a{i}", "g": "x"} for i in range(6)]
    for seed in range(3):
        options = {"columns": columns, "test_share": test_share, "seed": seed}
        report = check(jsonl(*rows), tmp_path / str(seed), options=options).report
        assert (report.accepted, report.train, report.test) == (True, 6, 0)
        assert "dataset:no_test_rows" in {warning.code for warning in report.warnings}


def test_a_version_without_training_rows_is_refused(tmp_path: Path) -> None:
    # The only row of the group that would be trained on asks what the other group asks, and is left out.
    rows = [{"prompt": f"q{i}", "completion": group, "g": group} for i, group in ((1, "x"), (2, "x"), (1, "z"))]
    options = {"columns": {"group": "g"}, "test_share": 1.0, "leaks": "leave_out"}
    outcomes = [check(jsonl(*rows), tmp_path / str(seed), options={**options, "seed": seed}) for seed in range(8)]
    refused = [outcome for outcome in outcomes if not outcome.report.accepted]
    assert 0 < len(refused) < len(outcomes)
    assert {outcome.first for outcome in refused} == {(0, "", "dataset:no_train_rows")}
    assert all(outcome.train for outcome in outcomes if outcome.report.accepted)


def test_a_row_keeps_its_split_when_others_are_added(tmp_path: Path) -> None:
    before = check(pairs(300), tmp_path / "before")
    after = check(pairs(600), tmp_path / "after")
    assert {row["id"] for row in before.test} <= {row["id"] for row in after.test}
    assert {row["id"] for row in before.train} <= {row["id"] for row in after.train}


def test_named_splits_are_kept_and_the_other_rows_are_for_training(tmp_path: Path) -> None:
    rows = [{"prompt": f"q{i}", "completion": "a"} for i in range(40)]
    rows[3]["split"], rows[7]["split"], rows[9]["split"] = "test", "Validation", "train"
    outcome = check(jsonl(*rows), tmp_path / "a")
    assert [row["messages"][0]["content"] for row in outcome.test] == ["q3", "q7"]
    assert outcome.report.train == 38


def prompts(rows: list[dict[str, Any]]) -> set[str]:
    return {row["messages"][0]["content"] for row in rows}


def in_one_split(outcome: Outcome) -> bool:
    """No prompt is on both sides, and nothing says so."""
    leaks = [finding for finding in outcome.findings if finding["code"] == "dataset:leak"]
    return not leaks and not prompts(outcome.train) & prompts(outcome.test)


@pytest.mark.parametrize("leaks", ["keep", "leave_out"])
def test_a_prompt_with_two_answers_is_in_one_split_also_where_rows_have_labels(leaks: str, tmp_path: Path) -> None:
    rows = [{"prompt": f"q{i // 2}", "completion": f"a{i}", "label": "x"} for i in range(400)]
    outcome = check(jsonl(*rows), tmp_path / "a", options={"leaks": leaks})
    assert in_one_split(outcome)
    assert (len(outcome.train), len(outcome.test)) == (360, 40)


@pytest.mark.parametrize("order", ["labels first", "labels last", "mixed"])
def test_rows_with_and_without_labels_share_prompts_wherever_a_block_ends(
    order: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    labelled = [{"prompt": f"q{i}", "completion": f"a{i}", "label": "xyz"[i % 3]} for i in range(300)]
    plain = [{"prompt": f"q{i}", "completion": f"b{i}"} for i in range(300)]
    rows = plain + labelled if order == "labels last" else labelled + plain
    if order == "mixed":
        Random(1).shuffle(rows)
    whole = check(jsonl(*rows), tmp_path / "whole")
    assert in_one_split(whole)
    assert len(whole.test) > 30
    monkeypatch.setattr(blocks, "BLOCK_BYTES", 500)
    cut = check(jsonl(*rows), tmp_path / "cut", max_row_bytes=400)
    assert (cut.train, cut.test) == (whole.train, whole.test)


def test_rows_that_are_left_out_take_no_share_of_their_label(tmp_path: Path) -> None:
    rows = [{"prompt": f"q{i // 10}", "completion": "a", "label": "x"} for i in range(4000)]
    outcome = check(jsonl(*rows), tmp_path / "repeated")
    assert (len(outcome.train), len(outcome.test)) == (360, 40)
    sliced = [{"prompt": f"q{i}", "completion": "a", "label": "x", "slice": f"s{i % MAX_SLICES}"} for i in range(400)]
    over = [{"prompt": f"over {i}", "completion": "a", "label": "x", "slice": f"more {i}"} for i in range(400)]
    turns = [row for pair in zip(sliced[MAX_SLICES:], over, strict=False) for row in pair]
    mixed = check(jsonl(*sliced[:MAX_SLICES], *turns), tmp_path / "sliced", options={"bad_rows": "leave_out"})
    assert (len(mixed.train), len(mixed.test)) == (360, 40)


def test_a_row_that_is_left_out_is_not_the_one_that_fills_an_empty_split(tmp_path: Path) -> None:
    """Which row is held out of a small file is told by the lowest place; a row over the limit may have a lower one."""
    slices = [{"prompt": "same", "completion": f"a{i}", "slice": f"s{i}"} for i in range(MAX_SLICES)]
    over = [{"prompt": f"over {i}", "completion": "a", "slice": f"more {i}"} for i in range(40)]
    rows = [*slices, {"prompt": "other", "completion": "a", "slice": "s0"}, *over]
    options = {"bad_rows": "leave_out", "test_share": 0.001}
    outcome = check(jsonl(*rows), tmp_path / "a", options=options)
    assert outcome.train
    assert outcome.test


def test_a_file_without_test_rows_is_accepted_with_a_warning(tmp_path: Path) -> None:
    report = check(pairs(4, split="train"), tmp_path / "a").report
    assert report.accepted
    assert [warning.code for warning in report.warnings] == ["dataset:no_test_rows"]


def test_the_same_file_gives_the_same_bytes(tmp_path: Path) -> None:
    content = pairs(50, slice="x", label=3)
    first, second = check(content, tmp_path / "a"), check(content, tmp_path / "b")
    assert first.report == second.report
    assert first.rows == second.rows


def test_the_profile_counts_slices_labels_and_lengths(tmp_path: Path) -> None:
    rows = [
        {"prompt": "x" * (i + 1), "completion": "yes", "slice": "long" if i > 6 else "short", "label": 7}
        for i in range(10)
    ]
    profile = check(jsonl(*rows), tmp_path / "a").report.profile
    assert profile is not None
    assert [(count.name, count.train + count.test) for count in profile.slices] == [("short", 7), ("long", 3)]
    assert [count.name for count in profile.labels] == ["7"]
    lengths = profile.prompt_characters
    assert (lengths.minimum, lengths.p50, lengths.p90, lengths.maximum, lengths.mean) == (1, 5, 9, 10, 5.5)
    assert profile.answer_characters.bins[0].rows == 10


@pytest.mark.parametrize("values", [[5], [1, 1, 2], list(range(1000)), [10] * 200 + [90_000]])
def test_bins_are_in_order_and_hold_every_row(values: list[int]) -> None:
    lengths = Lengths(100_000)
    lengths.add(np.array(values))
    summary = lengths.summary()
    assert sum(entry.rows for entry in summary.bins) == len(values)
    assert len(summary.bins) <= 25
    edges = [edge for entry in summary.bins for edge in (entry.low, entry.high)]
    assert edges == sorted(edges)
    assert (summary.bins[0].low, summary.bins[-1].high) == (min(values), max(values) + 1)
