"""Writes rows as files of every format and layout."""

import csv
import gzip
import io
import json
from collections.abc import Sequence
from random import Random
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

Row = dict[str, Any]

TABLES = {"csv": ",", "semicolons": ";", "tsv": "\t"}
FORMATS = ("jsonl", *TABLES, "parquet")
FLAT_LAYOUTS = ("prompt", "instruction", "classification")
LAYOUTS = ("chat", *FLAT_LAYOUTS)
ANSWERS = {"prompt": "completion", "instruction": "output", "classification": "label"}
WORDS = (
    "invoice", "tenant", "clause", "deadline", "refund", "parcel", "Vertrag", "Größe", "réponse", "契約", "договор",
    "עברית", "مرحبا", "🙂", "=SUM(A1)", "-", "“quoted”", '"quoted"', "a,b;c", "\\",
)  # fmt: skip


def text(rng: Random, number: int) -> str:
    """A few words, different for each number."""
    return f"{' '.join(rng.choices(WORDS, k=rng.randint(1, 8)))} {number}"


def row(rng: Random, layout: str, number: int) -> Row:
    """A good row, different for each number."""
    asked, answer = text(rng, number), text(rng, number)
    if layout == "chat":
        return {"messages": [{"role": "user", "content": asked}, {"role": "assistant", "content": answer}]}
    if layout == "prompt":
        return {"prompt": asked, "completion": answer}
    if layout == "instruction":
        return {"instruction": asked, "output": answer}
    return {"text": asked, "label": f"label {number % 3}"}


def rows(rng: Random, layout: str, count: int) -> list[Row]:
    """`count` good rows of one layout."""
    return [row(rng, layout, number) for number in range(count)]


def line(value: Any) -> bytes:
    """One line of JSON."""
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass") + b"\n"


def jsonl(values: Sequence[Any]) -> bytes:
    """JSON Lines."""
    return b"".join(map(line, values))


def table(values: Sequence[Row], delimiter: str) -> bytes:
    """A header and a line for each row; None is an empty cell."""
    buffer = io.StringIO(newline="")
    names = list(dict.fromkeys(name for value in values for name in value))
    writer = csv.DictWriter(buffer, names, delimiter=delimiter)
    writer.writeheader()
    writer.writerows(values)
    return buffer.getvalue().encode()


def parquet(values: Sequence[Row]) -> bytes:
    """A Parquet file."""
    return parquet_table(pa.Table.from_pylist(list(values)))


def parquet_table(value: pa.Table) -> bytes:
    """A Parquet file of this table."""
    buffer = io.BytesIO()
    pq.write_table(value, buffer)
    return buffer.getvalue()


def write(values: Sequence[Row], file_format: str) -> bytes:
    """Rows in one of `FORMATS`."""
    if file_format == "jsonl":
        return jsonl(values)
    return parquet(values) if file_format == "parquet" else table(values, TABLES[file_format])


def place(file_format: str, index: int) -> int:
    """The line, or the row in Parquet, of the row with this index."""
    return index + (2 if file_format in TABLES else 1)


def pack(content: bytes) -> bytes:
    """Gzipped bytes, without a time stamp."""
    return gzip.compress(content, mtime=0)
