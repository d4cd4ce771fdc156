"""Detects a file's format from its content. Its name is not used."""

import csv
import re
from collections import Counter
from contextlib import suppress
from typing import Literal, NamedTuple

from corpora.ingest.contracts import Options
from corpora.ingest.formats.blocks import UTF8_BOM
from corpora.ingest.formats.jsonl import NOT_UTF8, parse_line
from corpora.ingest.layouts.known import detect_layout
from corpora.ingest.layouts.layout import Layout
from corpora.ingest.problems import FileProblem, RowProblem, shown

FileFormat = Literal["jsonl", "csv", "tsv", "parquet"]

HEAD_BYTES = 1 << 16
HEAD_LINES = 20
"""The column names are looked for in so many lines."""

DELIMITERS: dict[str, FileFormat] = {",": "csv", ";": "csv", "\t": "tsv", "|": "csv"}
ACCEPTED = "Upload JSONL, JSON, CSV, TSV or Parquet, compressed (gzip, zstd, bzip2, zip) or not."

FOREIGN = (
    (b"\x1f\x8b", "This is a gzip file inside another archive. Extract it and upload the file inside."),
    (b"\x28\xb5\x2f\xfd", "This is a zstd file inside another archive. Extract it and upload the file inside."),
    (b"BZh9", "This is a bzip2 file inside another archive. Extract it and upload the file inside."),
    (b"PK\x03\x04", "This is a zip archive or an Excel workbook in an archive. Extract it, and save a sheet as CSV."),
    (b"7z\xbc\xaf", "This is a 7z archive. Extract it, or compress the file with gzip, zstd, bzip2 or zip."),
    (b"\xfd7zXZ", "This is an xz file. Extract it, or compress the file with gzip, zstd, bzip2 or zip."),
    (b"Rar!", "This is a RAR archive. Extract it, or compress the file with gzip, zstd, bzip2 or zip."),
    (b"\xd0\xcf\x11\xe0", "This is an old Office document. Save the sheet as “CSV UTF-8”."),
    (b"%PDF", f"This is a PDF document. {ACCEPTED}"),
)
_COLUMN = re.compile(r"[^\W\d][\w .:?()/-]{0,39}")
_SEPARATOR = re.compile(rb"sep=(.)\r?", re.IGNORECASE)
FEWEST_ROWS = 3
"""Lines of equally many cells that make a table of unknown columns below a title."""


class Sniffed(NamedTuple):
    """A file's format; of a table also its delimiter, and how many lines are above its column names.

    `titles` of those lines hold text that is no row.
    """

    file_format: FileFormat
    delimiter: str = ""
    skipped: int = 0
    titles: int = 0


def sniff(head: bytes, options: Options) -> Sniffed:
    """The format of a file by its first `HEAD_BYTES`, or as the options say.

    Raises FileProblem for anything that is no dataset.
    """
    if head.startswith(b"PAR1"):
        return Sniffed("parquet")
    _refuse_foreign(head)
    text = head.removeprefix(UTF8_BOM)
    if not text.strip():
        raise FileProblem("dataset:empty_file", "The file is empty. Choose the file with your rows.")
    if options.file_format == "parquet":
        raise FileProblem("dataset:broken_file", "This is not a Parquet file. Choose its real format.")
    lines = [line for line in text.splitlines() if line.strip()]
    if options.file_format == "jsonl":
        return Sniffed("jsonl")
    if separator := _SEPARATOR.fullmatch(lines[0]):
        return _separated(text, separator[1].decode("latin-1"), options)
    if options.file_format or (options.delimiter and not _begins_object(lines[0])):
        return _forced_table(text, lines[0], options)
    table = _table(lines[0], options)
    if table:
        return Sniffed(*table)
    if _holds_objects(lines):
        return Sniffed("jsonl")
    if titled := _titled_table(text, options):
        return titled
    unknown = _table_of_unknown_columns(lines[0])
    if unknown:
        return Sniffed(*unknown)
    raise _not_a_dataset(lines[0])


def _titled_table(text: bytes, options: Options) -> Sniffed | None:
    """A table with a title, whatever its delimiter."""
    tables = (_below_titles(text, name, delimiter, options) for delimiter, name in DELIMITERS.items())
    return next((table for table in tables if table.skipped), None)


def _separated(text: bytes, delimiter: str, options: Options) -> Sniffed:
    """A table whose first line names the delimiter, as Excel reads it."""
    first = next(number for number, line in enumerate(text.split(b"\n"), 1) if line.strip())
    below = b"\n".join(text.split(b"\n")[first:])
    if not below.strip():
        raise FileProblem("dataset:empty_file", "The file has no rows. Add one row for each example.")
    delimiter = options.delimiter or delimiter
    found = _below_titles(below, DELIMITERS.get(delimiter, "csv"), delimiter, options)
    return found._replace(skipped=found.skipped + first)


def _below_titles(text: bytes, file_format: FileFormat, delimiter: str, options: Options) -> Sniffed:
    """A table with this delimiter, and the lines above its column names if it has a title.

    The names are in the first line with known columns, or else in the first with as many cells as most lines have. A
    first line that has as many cells is no title.
    """
    rows = _first_rows(text, delimiter)
    widths = [len(row.cells) for row in rows]
    found = Sniffed(file_format, delimiter)
    if len(rows) < 2:
        return found
    known = next((row for row in rows if _layout_of(row.cells, options)), None)
    if known is None:
        usual, count = Counter(widths).most_common(1)[0]
        header = rows[widths.index(usual)]
        is_table = usual > 1 and count > FEWEST_ROWS and all(_COLUMN.fullmatch(cell) for cell in header.cells)
        known = header if is_table else None
    if known is None or known is rows[0] or len(rows[0].cells) == len(known.cells):
        return found
    return found._replace(skipped=known.before, titles=rows.index(known))


class _HeadRow(NamedTuple):
    """A row among the first of a table, with its cells in lower case, behind so many lines."""

    before: int
    cells: list[str]


def _first_rows(text: bytes, delimiter: str) -> list[_HeadRow]:
    """The first rows that are not blank, as far as they can be read."""
    lines = text.decode("utf-8", "replace").split("\n")[:HEAD_LINES]
    rows: list[_HeadRow] = []
    before = 0
    reader = csv.reader((f"{line}\n" for line in lines), delimiter=delimiter)
    with suppress(csv.Error):
        for cells in reader:
            if any(cell.strip() for cell in cells):
                rows.append(_HeadRow(before, [cell.strip().lower() for cell in cells]))
            before = reader.line_num
    return rows


def _refuse_foreign(head: bytes) -> None:
    for magic, text in FOREIGN:
        if head.startswith(magic):
            raise FileProblem("dataset:not_a_dataset", text)
    # NUL in a later line is that row's problem. A file that starts with it is not text.
    if b"\0" in head[:64]:
        raise FileProblem("dataset:not_a_dataset", f"This is not a text file. {ACCEPTED}")


def _forced_table(text: bytes, first: bytes, options: Options) -> Sniffed:
    delimiter = options.delimiter or ("\t" if options.file_format == "tsv" else "")
    if not delimiter:
        table = _table(first, options)
        titled = None if table else _titled_table(text, options)
        return titled or Sniffed("csv", (table or _table_of_unknown_columns(first) or ("csv", ","))[1])
    name = DELIMITERS.get(delimiter, "csv")
    if options.file_format:
        name = "tsv" if options.file_format == "tsv" else "csv"
    return _below_titles(text, name, delimiter, options)


def _begins_object(line: bytes) -> bool:
    return line.lstrip().startswith(b"{")


def _holds_objects(lines: list[bytes]) -> bool:
    """Whether the first line is an object, or any other line is if the first one is broken."""
    first = lines[0].strip()
    if first.startswith(b"[") and not first.endswith(b"]"):
        return False
    return _begins_object(first) or any(_begins_object(line) and _is_json(line) for line in lines)


def _is_json(line: bytes) -> bool:
    try:
        parse_line(line)
    except RowProblem:
        return False
    return True


def _table(first: bytes, options: Options) -> tuple[FileFormat, str] | None:
    for delimiter, name in DELIMITERS.items():
        if _layout_of(_cells(first, delimiter), options):
            return name, delimiter
    return None


def _layout_of(cells: list[str], options: Options) -> Layout | None:
    """The layout of columns with these names."""
    named = {column.strip().lower(): field for field, column in options.columns.items()}
    return detect_layout(named.get(cell, cell) for cell in cells)


def _table_of_unknown_columns(first: bytes) -> tuple[FileFormat, str] | None:
    """The format of a table whose first line has only unknown column names, which a person can map."""
    for delimiter, name in DELIMITERS.items():
        cells = _cells(first, delimiter)
        if len(cells) > 1 and all(_COLUMN.fullmatch(cell) for cell in cells):
            return name, delimiter
    return None


def _cells(line: bytes, delimiter: str) -> list[str]:
    try:
        return [cell.strip().lower() for cell in next(csv.reader([line.decode()], delimiter=delimiter), [])]
    except (csv.Error, UnicodeDecodeError):
        return []


def _not_a_dataset(first: bytes) -> FileProblem:
    if first.lstrip().startswith(b"["):
        text = "The file is a JSON list of something other than rows. Each row must be an object: [{…}, {…}]."
        return FileProblem("dataset:not_a_dataset", text, line=1)
    if _table_of_unknown_columns(first.decode("cp1252", "replace").encode()):
        return FileProblem("dataset:encoding", NOT_UTF8, line=1)
    quoted = shown(first.decode("utf-8", "replace"))
    text = f"The first line is neither a JSON object nor a list of column names: “{quoted}”. {ACCEPTED}"
    return FileProblem("dataset:not_a_dataset", text, line=1)
