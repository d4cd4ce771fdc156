"""A gzipped file is checked like the file inside it, and never unpacked beyond its bound."""

import gzip
import io
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.corpora.conftest import pairs
from tests.corpora.ingest.checking import check


def table(separator: str) -> bytes:
    lines = [separator.join(("prompt", "completion"))]
    lines += [separator.join((f"question {number}", f"answer {number}")) for number in range(12)]
    return "\n".join(lines).encode()


def parquet() -> bytes:
    buffer = io.BytesIO()
    numbers = range(12)
    columns = {"prompt": [f"question {n}" for n in numbers], "completion": [f"answer {n}" for n in numbers]}
    pq.write_table(pa.table(columns), buffer)
    return buffer.getvalue()


FILES = {"jsonl": pairs(12), "csv": table(","), "tsv": table("\t"), "parquet": parquet()}


@pytest.mark.parametrize("name", FILES)
def test_it_gives_the_same_rows_as_unpacked(name: str, tmp_path: Path) -> None:
    plain = check(FILES[name], tmp_path / "plain")
    packed = check(gzip.compress(FILES[name]), tmp_path / "packed")
    assert plain.report.accepted
    assert packed.report.file_format == name
    assert (packed.rows, packed.train, packed.test) == (plain.rows, plain.train, plain.test)


def test_a_bomb_is_refused_at_its_bound(tmp_path: Path) -> None:
    bomb = gzip.compress(b'{"prompt": "' + b"a" * 20_000_000)
    assert len(bomb) < 50_000
    outcome = check(bomb, tmp_path / "bomb", max_unpacked_bytes=1_000_000)
    assert outcome.first == (0, "", "dataset:too_large")
