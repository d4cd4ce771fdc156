"""CSV and TSV whose first line names the columns (RFC 4180; text with line breaks stands between quotes)."""

import csv
from collections.abc import Iterator
from typing import Any, BinaryIO

from corpora.ingest.canonical import too_long
from corpora.ingest.contracts import Problem
from corpora.ingest.jsonl import NOT_UTF8
from corpora.ingest.lines import bounded_lines
from corpora.ingest.problems import FileProblem, RowProblem


def read_table(file: BinaryIO, *, delimiter: str, max_row_bytes: int) -> Iterator[tuple[int, Any] | Problem]:
    """(line on which the row begins, columns by name), or why the row cannot be read.

    Raises FileProblem where it is no longer certain where rows begin.
    """
    csv.field_size_limit(max_row_bytes)
    reader = csv.reader(_text_lines(file, max_row_bytes), delimiter=delimiter, strict=True)
    columns: list[str] | None = None
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader, None)
        except csv.Error as error:
            raise _unreadable(error, line) from None
        if cells is None:
            return
        if not any(cells):
            continue
        if columns is None:
            columns = column_names(cells)
        elif len(cells) != len(columns):
            yield _wrong_width(len(cells), len(columns)).at(line)
        else:
            yield line, dict(zip(columns, cells, strict=True))


def column_names(cells: list[str]) -> list[str]:
    """The header's names, in lower case; raises FileProblem for a name that is there twice."""
    names = [cell.strip().lower() for cell in cells]
    twice = next((name for name in names if name and names.count(name) > 1), None)
    if twice:
        text = f"Two columns are named “{twice}”. Rename or remove one."
        raise FileProblem("dataset:duplicate_key", text, line=1, field=twice)
    return names


def _text_lines(file: BinaryIO, limit: int) -> Iterator[str]:
    for number, line in bounded_lines(file, limit):
        if line is None:
            problem = too_long(limit)
            raise FileProblem(problem.code, problem.text, line=number)
        try:
            yield line.decode()
        except UnicodeDecodeError:
            raise FileProblem("dataset:encoding", NOT_UTF8, line=number) from None


def _unreadable(error: csv.Error, line: int) -> FileProblem:
    if "field larger than field limit" in str(error) or "unexpected end of data" in str(error):
        text = "A quotation mark is opened here and never closed. Close it, or write it twice inside a quoted text."
    else:
        text = "The quotation marks do not match. Put the text between quotes and write a quote inside it twice."
    return FileProblem("dataset:broken_line", text, line=line)


def _wrong_width(cells: int, columns: int) -> RowProblem:
    text = f"The row has {cells} cells, the first line names {columns}. Put quotes around text with a separator in it."
    return RowProblem("dataset:broken_line", "", text)
