"""Exports the rows, findings and left-out rows of a version as files, streamed from storage in constant memory.

While a file streams, only storage is read, because the request's tenant is no longer active.
"""

import csv
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any, Literal

import msgspec
from django.http import StreamingHttpResponse
from django.utils.http import content_disposition_header

from corpora.ingest.contracts import Finding, Turn
from corpora.models import DatasetVersion
from corpora.versions.findings import all_findings
from corpora.versions.left_out import FILE_TYPES, left_out_rows
from corpora.versions.rows import Rows, StoredRow

Content = Literal["rows", "findings", "left_out"]
FileType = Literal["jsonl", "csv"]

CONTENTS: tuple[Content, ...] = ("rows", "findings", "left_out")
TYPES: dict[FileType, str] = {"jsonl": "application/x-ndjson", "csv": "text/csv; charset=utf-8"}
PIECE_BYTES = 1 << 16
# Without it, Excel reads a CSV file in a legacy encoding. The check of an uploaded file removes it.
BYTE_ORDER_MARK = "\ufeff"

# Text that a spreadsheet may read as a formula, also after spaces or with full-width characters.
_FORMULA = re.compile(r"[\s\ufeff\u200b]*[=+\-@＝＋－＠]|[\t\r\n]")

_ROW_COLUMNS = ("row", "line", "id", "split", "slice", "label", "system", "prompt", "completion")
_FINDING_COLUMNS = ("line", "field", "code", "text", "kept")


class ExportedRow(msgspec.Struct, frozen=True, omit_defaults=True):
    """A line of a JSONL export. Uploaded again, it becomes the same row in the same split."""

    row: int
    line: int
    id: str
    split: str
    slice: str
    label: str | None
    messages: tuple[Turn, ...]
    tools: tuple[dict[str, Any], ...] = ()
    metadata: dict[str, str] = {}


def export_response(version: DatasetVersion, *, content: Content, file_type: FileType) -> StreamingHttpResponse:
    """The file as a download. Rows that were left out come as they stand in the customer's file, in its own format.

    Raises ObjectMissing, or NotPlainText for left-out rows, before the first byte is sent.
    """
    if content == "left_out":
        return _download(version, _pieces(left_out_rows(version)), "left out", version.file_format, FILE_TYPES)
    records: Iterable[StoredRow] | Iterable[Finding]
    records = Rows(version) if content == "rows" else all_findings(version)
    pieces = _pieces(_jsonl(records) if file_type == "jsonl" else _csv(content, records))
    return _download(version, pieces, content, file_type, TYPES)


def _download(
    version: DatasetVersion, pieces: Iterator[bytes], content: str, file_type: str, types: Mapping[Any, str]
) -> StreamingHttpResponse:
    # Once a response has started, it can no longer become an error page.
    pieces = chain([next(pieces, b"")], pieces)
    response = StreamingHttpResponse(pieces, content_type=types[file_type])
    name = f"{_file_name(version.dataset.name)} v{version.number} {content}.{file_type}"
    response["Content-Disposition"] = content_disposition_header(as_attachment=True, filename=name)
    return response


def safe_cell(text: str) -> str:
    """The text, with an apostrophe in front if a spreadsheet may read it as a formula."""
    return f"'{text}" if _FORMULA.match(text) else text


def _jsonl(records: Iterable[Any]) -> Iterator[bytes]:
    for record in records:
        yield msgspec.json.encode(_exported(record) if isinstance(record, StoredRow) else record) + b"\n"


def _exported(stored: StoredRow) -> ExportedRow:
    row = stored.row
    return ExportedRow(
        stored.number,
        stored.line,
        row.id,
        stored.split,
        row.slice,
        row.label,
        row.messages,
        row.tools,
        row.metadata,
    )


class _Line:
    """A target for csv.writer that keeps the last line written."""

    text = ""

    def write(self, text: str) -> None:
        self.text = text


def _csv(content: Content, records: Iterable[Any]) -> Iterator[bytes]:
    line = _Line()
    writer = csv.writer(line)
    writer.writerow(_ROW_COLUMNS if content == "rows" else _FINDING_COLUMNS)
    yield (BYTE_ORDER_MARK + line.text).encode()
    for record in records:
        cells = _row_cells(record) if isinstance(record, StoredRow) else _finding_cells(record)
        writer.writerow([safe_cell(cell) if isinstance(cell, str) else cell for cell in cells])
        yield line.text.encode()


def _row_cells(stored: StoredRow) -> Sequence[str | int]:
    row = stored.row
    *prompt, answer = row.messages
    system = prompt.pop(0).content if prompt[0].role == "system" else ""
    return (
        stored.number,
        stored.line,
        row.id,
        stored.split,
        row.slice,
        row.label or "",
        system,
        _as_text(prompt),
        _text_of(answer),
    )


def _as_text(turns: Sequence[Turn]) -> str:
    """A single turn as it is, or several turns, each after its role."""
    if len(turns) == 1:
        return _text_of(turns[0])
    return "\n\n".join(f"{turn.role.capitalize()}: {_text_of(turn)}" for turn in turns)


def _text_of(turn: Turn) -> str:
    """What the turn says, and the tools it calls as JSON."""
    calls = [msgspec.json.encode(call.function).decode() for call in turn.tool_calls]
    return "\n".join([turn.content, *calls] if turn.content else calls)


def _finding_cells(finding: Finding) -> Sequence[str | int]:
    return finding.line, finding.field, finding.code, finding.text, "yes" if finding.kept else "no"


def _pieces(lines: Iterable[bytes]) -> Iterator[bytes]:
    """Join lines into pieces of at least PIECE_BYTES, except the last."""
    piece = bytearray()
    for line in lines:
        piece += line
        if len(piece) >= PIECE_BYTES:
            yield bytes(piece)
            piece.clear()
    if piece:
        yield bytes(piece)


def _file_name(name: str) -> str:
    """A dataset's name without characters that are unsafe in headers or file names."""
    kept = (" " if char in '/\\:*?"<>|' or not char.isprintable() else char for char in name)
    return "".join(kept).strip() or "dataset"
