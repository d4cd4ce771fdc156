"""Columns that are kept with the rows for filtering, and change nothing else."""

import json
from pathlib import Path
from typing import Any

import pytest

from corpora.ingest.batch import Batch
from corpora.ingest.metadata import guess_kept, kept_values, short_text
from corpora.ingest.reading.reader import Reader
from tests.corpora.conftest import jsonl
from tests.corpora.corpus import writing
from tests.corpora.ingest.checking import Outcome, check

TOPICS = ("billing", "delivery", "returns")


def row(number: int, **more: Any) -> dict[str, Any]:
    return {"prompt": f"question {number}?", "completion": f"answer {number}", **more}


def kept(outcome: Outcome) -> list[dict[str, str]]:
    assert outcome.report.accepted, outcome.report.problems
    by_line = sorted(outcome.rows, key=lambda one: int(one["messages"][0]["content"].split()[1].rstrip("?")))
    return [one.get("metadata", {}) for one in by_line]


@pytest.mark.parametrize("file_format", ["jsonl", "csv", "parquet"])
def test_categories_are_kept_and_ids_texts_and_addresses_are_not(file_format: str, tmp_path: Path) -> None:
    rows = [
        row(
            i,
            topic=TOPICS[i % 3],
            stars=i % 5,
            ticket=f"T-{i:05}",
            customer_id=i % 4,
            note=f"A longer remark about the case number {i % 2}, which goes on and on",
            mail=f"ann{i % 2}@example.com",
        )
        for i in range(40)
    ]
    outcome = check(writing.write(rows, file_format), tmp_path / "a")
    assert outcome.report.metadata == ("topic", "stars")
    assert kept(outcome) == [{"topic": one["topic"], "stars": str(one["stars"])} for one in rows]
    unused = next(one.text for one in outcome.report.warnings if one.code == "dataset:unused_field")
    assert unused == "Not used in training: customer_id, mail, note, ticket."


@pytest.mark.parametrize("file_format", ["jsonl", "csv", "parquet"])
def test_named_columns_are_kept_instead(file_format: str, tmp_path: Path) -> None:
    rows = [row(i, topic=TOPICS[i % 3], ticket=f"T-{i:05}", label="x") for i in range(9)]
    content = writing.write(rows, file_format)
    named = check(content, tmp_path / "a", options={"metadata": ("ticket", "label", "gone")})
    assert kept(named) == [{"ticket": one["ticket"]} for one in rows]
    assert kept(check(content, tmp_path / "b", options={"metadata": ()})) == [{}] * 9


def test_fields_of_a_metadata_object_are_kept_likewise(tmp_path: Path) -> None:
    rows = [
        row(i, metadata={"topic": TOPICS[i % 3], "vip": i % 2 == 0, "tags": ["a"], "ticket": f"T{i}"})
        for i in range(12)
    ]
    outcome = check(jsonl(*rows), tmp_path / "a")
    assert kept(outcome) == [{"topic": TOPICS[i % 3], "vip": "true" if i % 2 == 0 else "false"} for i in range(12)]
    assert not [one for one in outcome.report.warnings if one.code == "dataset:unused_field"]


@pytest.mark.parametrize("file_format", ["jsonl", "csv"])
def test_they_change_neither_ids_nor_the_split_nor_duplicates(file_format: str, tmp_path: Path) -> None:
    rows = [row(i % 180, topic=TOPICS[i % 3], channel=["web", "shop"][i % 2]) for i in range(200)]
    with_them = check(writing.write(rows, file_format), tmp_path / "a")
    without = check(writing.write(rows, file_format), tmp_path / "b", options={"metadata": ()})
    assert with_them.report.metadata == ("topic", "channel")
    for split in ("train", "test"):
        stripped = [{k: v for k, v in one.items() if k != "metadata"} for one in getattr(with_them, split)]
        assert stripped == getattr(without, split)
    assert with_them.report.rows == 180


def test_personal_data_in_them_is_found_and_masked(tmp_path: Path) -> None:
    rows = [row(i, contact="ann@example.com" if i == 3 else "none") for i in range(9)]
    options = {"metadata": ("contact",)}
    plain = check(jsonl(*rows), tmp_path / "a", options=options)
    assert "dataset:personal_email" in {one.code for one in plain.report.warnings}
    masked = check(jsonl(*rows), tmp_path / "b", options={**options, "personal_data": "mask"})
    assert "ann@example.com" not in json.dumps(masked.rows)
    assert kept(masked)[3]["contact"].startswith("[")


def test_values_are_cut_and_made_storable() -> None:
    assert short_text("x" * 100) == "x" * 80
    assert short_text("a\0b\ud800 ") == "a�b?"
    assert [short_text(value) for value in (True, 3, None, [1], {"a": 1})] == ["true", "3", "", "", ""]
    assert kept_values({"a": " ", "b": "x", "metadata": {"c": 1, "b": "y"}}, ("a", "b", "c")) == (
        ("b", "x"),
        ("c", "1"),
    )


def test_at_most_eight_columns_are_guessed_and_none_of_few_rows() -> None:
    rows = [{f"c{column}": "x" for column in range(12)}] * 10
    assert guess_kept(rows, {"c0"}) == tuple(f"c{column}" for column in range(1, 9))
    assert guess_kept(rows[:3], ()) == ()


@pytest.mark.parametrize("file_format", ["jsonl", "csv", "parquet"])
def test_columns_at_once_and_rows_one_by_one_give_the_same(
    file_format: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = ["a", "  padded ", "", "ünï", "7", "x" * 90, 'it\'s "quoted"']
    rows = [row(i, topic=values[i % 7], count=i % 3) for i in range(70)]
    content, options = writing.write(rows, file_format), {"metadata": ("topic", "count")}
    at_once = check(content, tmp_path / "a", options=options)
    monkeypatch.setattr(Reader, "block", lambda reader, data: _one_by_one(reader, data))
    assert check(content, tmp_path / "b", options=options).rows == at_once.rows
    assert any("metadata" in one for one in at_once.rows)


def _one_by_one(reader: Reader, data: memoryview) -> Batch | None:
    found = reader._rows.find(data)
    assert found is not None
    assert found.columns is not None
    items = [*found.odd, *zip(found.columns.lines.tolist(), found.items, strict=True)]
    return reader._items(sorted(items), found)
