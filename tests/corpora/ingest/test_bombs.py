"""A file that is small to send and endless to read or to write is refused before it has cost much."""

import gzip
import io
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from corpora.ingest.assembly.index import RECORD
from corpora.ingest.contracts import TEST, TRAIN
from tests.corpora.conftest import pairs
from tests.corpora.ingest.checking import Outcome, check

ROWS = 2_000


def parquet(*, store_schema: bool = False, **columns: pa.Array | list[str]) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(pa.table(columns), buffer, compression="zstd", store_schema=store_schema)
    return buffer.getvalue()


def repeated(text: str) -> pa.Array:
    return pa.DictionaryArray.from_arrays(pa.array([0] * ROWS, pa.int32()), pa.array([text]))


def check_bomb(content: bytes, folder: Path) -> Outcome:
    assert len(content) < 1 << 16
    outcome = check(content, folder)
    assert "dataset:too_large" in outcome.report.problems_by_code
    assert outcome.report.problems[-1].stops
    return outcome


@pytest.mark.parametrize("store_schema", [False, True], ids=["as texts", "as a dictionary"])
def test_a_value_counts_each_time_a_parquet_file_repeats_it(store_schema: bool, tmp_path: Path) -> None:
    bomb = parquet(store_schema=store_schema, prompt=repeated("x" * 500_000), completion=["a"] * ROWS)
    check_bomb(bomb, tmp_path / "bomb")


def test_turns_count_each_time_a_parquet_file_repeats_them(tmp_path: Path) -> None:
    turns = pa.StructArray.from_arrays([repeated("user"), repeated("x" * 500_000)], ["role", "content"])
    starts = pa.array(range(0, ROWS + 1, 2), pa.int32())
    bomb = parquet(store_schema=True, messages=pa.ListArray.from_arrays(starts, turns))
    check_bomb(bomb, tmp_path / "bomb")


def test_a_parquet_file_of_nothing_but_rows_is_refused_unread(tmp_path: Path) -> None:
    none = pa.nulls(2_000_000, pa.string())
    assert check_bomb(parquet(prompt=none, completion=none), tmp_path / "bomb").report.problem_count == 1


def test_a_parquet_file_with_one_endless_conversation_is_refused_unread(tmp_path: Path) -> None:
    none = pa.nulls(2_000_000, pa.string())
    turns = pa.StructArray.from_arrays([none, none], ["role", "content"])
    bomb = parquet(messages=pa.ListArray.from_arrays([0, len(none)], turns))
    assert check_bomb(bomb, tmp_path / "bomb").report.problem_count == 1


def test_a_table_of_real_rows_is_no_bomb_however_well_it_packs(tmp_path: Path) -> None:
    rows = range(150_000)
    table = parquet(prompt=[f"question {row}" for row in rows], completion=["yes" if row % 3 else "no" for row in rows])
    assert check(table, tmp_path / "table").report.accepted


def test_a_packed_file_is_not_unpacked_beyond_the_room(tmp_path: Path) -> None:
    content = pairs(10_000)
    outcome = check(gzip.compress(content), tmp_path / "packed", room_bytes=len(content) - 1)
    assert outcome.first == (0, "", "dataset:quota_exceeded")


def test_rows_are_not_written_beyond_the_room(tmp_path: Path) -> None:
    content = pairs(5_000)
    assert check(content, tmp_path / "wide").report.accepted
    written = sum((tmp_path / "wide" / "output" / name).stat().st_size for name in (TRAIN, TEST))
    room = written + 5_000 * RECORD.itemsize
    assert check(content, tmp_path / "just", room_bytes=room).report.accepted
    outcome = check(content, tmp_path / "narrow", room_bytes=room - 1)
    assert outcome.first == (0, "", "dataset:quota_exceeded")
