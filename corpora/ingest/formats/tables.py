"""CSV and TSV whose first line names the columns (RFC 4180; text with line breaks is quoted)."""

import csv
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO, NamedTuple

from corpora.ingest.batch import too_long
from corpora.ingest.contracts import Problem
from corpora.ingest.formats.jsonl import NOT_UTF8
from corpora.ingest.formats.lines import bounded_lines
from corpora.ingest.problems import FileProblem, RowProblem, shown


class Header(NamedTuple):
    """A table's column names on `line`, and where its rows begin: behind `size` bytes, which are `lines` lines.

    `titles` lines above the names say something else.
    """

    names: list[str]
    size: int
    lines: int
    line: int = 1
    titles: int = 0


NO_HEADER = Header([], 0, 0)


def read_table(
    file: BinaryIO, names: list[str], *, offset: int, lines_before: int, delimiter: str, max_row_bytes: int
) -> Iterator[tuple[int, Any] | Problem]:
    """(line on which the row begins, columns by name), or why the row cannot be read, from `offset` on.

    Raises FileProblem where it is no longer certain where rows begin.
    """
    csv.field_size_limit(max_row_bytes)
    lines = _TextLines(file, max_row_bytes, offset, lines_before)
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    while True:
        line = lines_before + reader.line_num + 1
        lines.held = 0
        try:
            cells = next(reader, None)
        except csv.Error as error:
            raise _unreadable(error, line) from None
        if cells is None:
            return
        if not any(cells):
            continue
        if len(cells) != len(names):
            yield wrong_width(len(cells), len(names)).at(line)
        else:
            yield line, by_name(names, cells)


def read_header(file: BinaryIO, *, delimiter: str, max_row_bytes: int, skipped: int = 0, titles: int = 0) -> Header:
    """The first row of a table behind `skipped` lines, `titles` of them titles.

    Raises FileProblem if it has no usable names.
    """
    csv.field_size_limit(max_row_bytes)
    offset = _offset_of_line(file, skipped)
    reader = csv.reader(_TextLines(file, max_row_bytes, offset, skipped), delimiter=delimiter, strict=True)
    names: list[str] = []
    line = skipped + 1
    try:
        for cells in reader:
            if any(cells):
                names = column_names(cells, line=line)
                break
            line = skipped + reader.line_num + 1
    except csv.Error as error:
        raise _unreadable(error, line) from None
    return Header(names, file.tell(), skipped + reader.line_num, line, titles)


def _offset_of_line(file: BinaryIO, before: int) -> int:
    """Where the line begins that has so many before it."""
    file.seek(0)
    for _ in range(before):
        file.readline()
    return file.tell()


def column_names(cells: list[str], *, line: int) -> list[str]:
    """The header's names in lower case. Raises FileProblem for a duplicate name."""
    names = [cell.strip().lower() for cell in cells]
    twice = next((name for name, count in Counter(names).items() if name and count > 1), None)
    if twice:
        text = f"Two columns are named “{shown(twice)}”. Rename or remove one."
        raise FileProblem("dataset:duplicate_key", text, line=line, field=shown(twice))
    return names


class _TextLines:
    """The file's lines; `held` bytes were handed out since it was set to 0, and never many more than `limit`.

    The bound is for rows of many lines, which quoted line breaks make endless; it leaves the csv module room to name
    the cell that is too long.
    """

    def __init__(self, file: BinaryIO, limit: int, offset: int = 0, lines_before: int = 0) -> None:
        self._file = file
        self._limit = limit
        self._offset = offset
        self._lines_before = lines_before
        self.held = 0

    def __iter__(self) -> Iterator[str]:
        for number, line in bounded_lines(self._file, self._limit, offset=self._offset, before=self._lines_before):
            if line is None or self.held > 2 * self._limit:
                problem = too_long(self._limit)
                raise FileProblem(problem.code, problem.text, line=number)
            self.held += len(line)
            try:
                yield line.decode()
            except UnicodeDecodeError:
                raise FileProblem("dataset:encoding", NOT_UTF8, line=number) from None


def _unreadable(error: csv.Error, line: int) -> FileProblem:
    if "field larger than field limit" in str(error) or "unexpected end of data" in str(error):
        text = "A quotation mark is opened here and never closed. Close it. Inside quoted text, double it."
    elif "new-line character" in str(error):
        text = "A line ends with CR alone. Save the file with LF or CRLF line breaks."
    else:
        text = "The quotation marks do not match. Put the text in quotes and double each quotation mark inside it."
    return FileProblem("dataset:broken_line", text, line=line)


def by_name(names: Sequence[str], cells: Sequence[str]) -> dict[str, str | None]:
    """A row's cells by column. An empty cell is no value: tables cannot tell the two apart."""
    return {name: cell or None for name, cell in zip(names, cells, strict=True)}


def wrong_width(cells: int, columns: int) -> RowProblem:
    """A row with more or fewer cells than there are columns."""
    text = (
        f"The row has {cells} cells, but there are {columns} columns. Put text that contains the separator in quotes."
    )
    return RowProblem("dataset:broken_line", "", text)
