"""Tells a file's format by what is in it; its name may say anything."""

import csv
import re
from typing import Literal

from corpora.ingest.layouts import detect_layout, missing_columns
from corpora.ingest.lines import UTF8_BOM
from corpora.ingest.problems import FileProblem, joined, shown

FileFormat = Literal["jsonl", "csv", "tsv", "parquet"]

HEAD_BYTES = 1 << 16
DELIMITERS: dict[str, FileFormat] = {",": "csv", ";": "csv", "\t": "tsv"}
ACCEPTED = "Upload JSONL, CSV, TSV or Parquet, as it is or packed by gzip."

FOREIGN = (
    (b"\x1f\x8b", "This is a gzip file inside another. Unpack it and upload the file inside."),
    (b"PK\x03\x04", "This is a zip archive or an Excel workbook. Unpack it, or save the sheet as “CSV UTF-8”."),
    (b"\xd0\xcf\x11\xe0", "This is an old Office document. Save the sheet as “CSV UTF-8”."),
    (b"%PDF", f"This is a PDF document. {ACCEPTED}"),
)
UTF16 = "The file is UTF-16 text. Save it again as UTF-8 (in Excel: “CSV UTF-8”)."
_COLUMN = re.compile(r"[^\W\d][\w .-]{0,39}")


def sniff(head: bytes) -> tuple[FileFormat, str]:
    """(format, delimiter of a table) from a file's first `HEAD_BYTES`; raises FileProblem for anything else."""
    if head.startswith(b"PAR1"):
        return "parquet", ""
    _refuse_foreign(head)
    text = head.removeprefix(UTF8_BOM)
    if not text.strip():
        raise FileProblem("dataset:empty_file", "The file is empty. Choose the file with your rows.")
    lines = [line for line in text.splitlines() if line.strip()]
    table = _table(lines[0])
    if table:
        return table
    if any(line.lstrip().startswith(b"{") for line in lines):
        return "jsonl", ""
    raise _not_a_dataset(lines[0])


def _refuse_foreign(head: bytes) -> None:
    for magic, text in FOREIGN:
        if head.startswith(magic):
            raise FileProblem("dataset:not_a_dataset", text)
    if head.startswith((b"\xff\xfe", b"\xfe\xff")) or _looks_like_utf16(head):
        raise FileProblem("dataset:encoding", UTF16)
    # NUL in a line of text is that row's problem; a file that begins with it is something else.
    if b"\0" in head[:64]:
        raise FileProblem("dataset:not_a_dataset", f"This is not a text file. {ACCEPTED}")


def _looks_like_utf16(head: bytes) -> bool:
    """Mostly ASCII characters, each with a zero byte on the same side."""
    sides = [head[side:256:2] for side in (0, 1)]
    zeros, others = sorted((side.count(0) / max(1, len(side)) for side in sides), reverse=True)
    return zeros > 0.8 and others < 0.2


def _table(first: bytes) -> tuple[FileFormat, str] | None:
    for delimiter, name in DELIMITERS.items():
        if detect_layout(_cells(first, delimiter)):
            return name, delimiter
    return None


def _cells(line: bytes, delimiter: str) -> list[str]:
    try:
        return [cell.strip().lower() for cell in next(csv.reader([line.decode()], delimiter=delimiter), [])]
    except (csv.Error, UnicodeDecodeError):
        return []


def _not_a_dataset(first: bytes) -> FileProblem:
    if first.lstrip().startswith(b"["):
        text = "The file is one JSON list. Write each row on a line of its own, without the brackets (JSONL)."
        return FileProblem("dataset:not_a_dataset", text, line=1)
    for delimiter in DELIMITERS:
        cells = _cells(first, delimiter)
        if len(cells) > 1 and all(_COLUMN.fullmatch(cell) for cell in cells):
            problem = missing_columns(cells)
            text = f"The first line names the columns {joined(cells)}. {problem.text}"
            return FileProblem("dataset:missing_field", text, line=1, field=problem.field)
    quoted = shown(first.decode("utf-8", "replace"))
    text = f"The first line is neither a JSON object nor a line of column names: “{quoted}”. {ACCEPTED}"
    return FileProblem("dataset:not_a_dataset", text, line=1)
