"""Detects a file's format from its content. Its name is not used."""

import csv
import re
from typing import Literal

from corpora.ingest.contracts import Options
from corpora.ingest.formats.blocks import UTF8_BOM
from corpora.ingest.formats.jsonl import NOT_UTF8, parse_line
from corpora.ingest.layouts.known import detect_layout
from corpora.ingest.problems import FileProblem, RowProblem, shown

FileFormat = Literal["jsonl", "csv", "tsv", "parquet"]

HEAD_BYTES = 1 << 16
DELIMITERS: dict[str, FileFormat] = {",": "csv", ";": "csv", "\t": "tsv"}
ACCEPTED = "Upload JSONL, CSV, TSV or Parquet, gzipped or not."

FOREIGN = (
    (b"\x1f\x8b", "This is a gzip file inside another. Extract it and upload the file inside."),
    (b"PK\x03\x04", "This is a zip archive or an Excel workbook. Extract it, or save the sheet as “CSV UTF-8”."),
    (b"\xd0\xcf\x11\xe0", "This is an old Office document. Save the sheet as “CSV UTF-8”."),
    (b"%PDF", f"This is a PDF document. {ACCEPTED}"),
)
UTF16 = "The file is UTF-16 text. Save it again as UTF-8 (in Excel: “CSV UTF-8”)."
_COLUMN = re.compile(r"[^\W\d][\w .:?()/-]{0,39}")


def sniff(head: bytes, options: Options) -> tuple[FileFormat, str]:
    """(format, delimiter of a table) from a file's first `HEAD_BYTES`, or as the options say.

    Raises FileProblem for anything that is no dataset.
    """
    if head.startswith(b"PAR1"):
        return "parquet", ""
    _refuse_foreign(head)
    text = head.removeprefix(UTF8_BOM)
    if not text.strip():
        raise FileProblem("dataset:empty_file", "The file is empty. Choose the file with your rows.")
    if options.file_format == "parquet":
        raise FileProblem("dataset:broken_file", "This is not a Parquet file. Choose its real format.")
    lines = [line for line in text.splitlines() if line.strip()]
    if options.file_format == "jsonl":
        return "jsonl", ""
    if options.file_format or (options.delimiter and not _begins_object(lines[0])):
        return _forced_table(lines[0], options)
    table = _table(lines[0], options)
    if table:
        return table
    if _holds_objects(lines):
        return "jsonl", ""
    unknown = _table_of_unknown_columns(lines[0])
    if unknown:
        return unknown
    raise _not_a_dataset(lines[0])


def _refuse_foreign(head: bytes) -> None:
    for magic, text in FOREIGN:
        if head.startswith(magic):
            raise FileProblem("dataset:not_a_dataset", text)
    if head.startswith((b"\xff\xfe", b"\xfe\xff")) or _looks_like_utf16(head):
        raise FileProblem("dataset:encoding", UTF16)
    # NUL in a later line is that row's problem. A file that starts with it is not text.
    if b"\0" in head[:64]:
        raise FileProblem("dataset:not_a_dataset", f"This is not a text file. {ACCEPTED}")


def _looks_like_utf16(head: bytes) -> bool:
    """Mostly ASCII characters, each with a zero byte on the same side."""
    sides = [head[side:256:2] for side in (0, 1)]
    zeros, others = sorted((side.count(0) / max(1, len(side)) for side in sides), reverse=True)
    return zeros > 0.8 and others < 0.2


def _forced_table(first: bytes, options: Options) -> tuple[FileFormat, str]:
    if options.delimiter:
        return options.file_format or DELIMITERS.get(options.delimiter, "csv"), options.delimiter
    if options.file_format == "tsv":
        return "tsv", "\t"
    _, delimiter = _table(first, options) or _table_of_unknown_columns(first) or ("csv", ",")
    return "csv", delimiter


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
    named = {column.strip().lower(): field for field, column in options.columns.items()}
    for delimiter, name in DELIMITERS.items():
        cells = _cells(first, delimiter)
        if detect_layout(named.get(cell, cell) for cell in cells):
            return name, delimiter
    return None


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
        text = "The file is a single JSON list. Write each row on its own line, without the brackets (JSONL)."
        return FileProblem("dataset:not_a_dataset", text, line=1)
    if _table_of_unknown_columns(first.decode("cp1252", "replace").encode()):
        return FileProblem("dataset:encoding", NOT_UTF8, line=1)
    quoted = shown(first.decode("utf-8", "replace"))
    text = f"The first line is neither a JSON object nor a list of column names: “{quoted}”. {ACCEPTED}"
    return FileProblem("dataset:not_a_dataset", text, line=1)
