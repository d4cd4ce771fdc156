"""Opens a file as a stream of rows, whatever its format."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, BinaryIO, Literal

from corpora.ingest.contracts import Problem
from corpora.ingest.jsonl import read_jsonl
from corpora.ingest.sniff import HEAD_BYTES, sniff
from corpora.ingest.tables import read_table


@dataclass(frozen=True)
class Source:
    """`records` are (position, raw row) or problems; iterating them may raise FileProblem."""

    file_format: str
    position: Literal["line", "row"]
    records: Iterable[tuple[int, Any] | Problem]
    fraction: Callable[[], float]


def open_source(file: BinaryIO, *, size: int, max_row_bytes: int) -> Source:
    """The rows of a file of `size` bytes; raises FileProblem if it is none of ours."""
    file_format, delimiter = sniff(file.read(HEAD_BYTES))
    if file_format == "parquet":
        # Loading pyarrow takes longer than checking most files of the other formats.
        from corpora.ingest.parquet import ParquetRows

        rows = ParquetRows(file)
        return Source(file_format, "row", rows, rows.fraction)

    def fraction() -> float:
        return min(1.0, file.tell() / size)

    if file_format == "jsonl":
        return Source(file_format, "line", read_jsonl(file, max_row_bytes=max_row_bytes), fraction)
    table = read_table(file, delimiter=delimiter, max_row_bytes=max_row_bytes)
    return Source(file_format, "line", table, fraction)
