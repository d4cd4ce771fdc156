"""The rows of a customer's file that are not in a version, as they stand in the file, so that they can be fixed."""

import csv
from collections.abc import Iterator

from corpora.ingest.contracts import MAX_ROW_BYTES
from corpora.models import DatasetVersion
from corpora.versions.errors import NotPlainText
from corpora.versions.findings import all_findings
from storage.objects import CHUNK_BYTES, read_range

FILE_TYPES = {
    "jsonl": "application/x-ndjson",
    "csv": "text/csv; charset=utf-8",
    "tsv": "text/tab-separated-values; charset=utf-8",
}
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
NOT_TEXT = (b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"BZh", b"PK\x03\x04", b"\xff\xfe", b"\xfe\xff")
"""How compressed files and UTF-16 begin."""


def left_out_rows(version: DatasetVersion) -> Iterator[bytes]:
    """The rows that were left out or cannot be used, in the file's order; for a table, its first line comes first.

    Streams the file in constant memory, besides a number for each row. A row over the size limit is skipped. Raises
    NotPlainText, ObjectMissing or StorageUnavailable.
    """
    begin = read_range(version.upload_key, 0, 4)
    if version.file_format not in FILE_TYPES or begin.startswith(NOT_TEXT) or b"\0" in begin:
        raise NotPlainText
    lines = {finding.line for finding in all_findings(version) if finding.line and not finding.kept}
    if version.file_format == "jsonl":
        return _lines(version, lines)
    return _records(version, lines)


def _lines(version: DatasetVersion, wanted: set[int]) -> Iterator[bytes]:
    for number, line in enumerate(_bounded_lines(version.upload_key), start=1):
        if number in wanted and line is not None:
            yield line + b"\n"


def _records(version: DatasetVersion, wanted: set[int]) -> Iterator[bytes]:
    """The rows of a table, each of which may have line breaks in quoted text."""
    csv.field_size_limit(MAX_ROW_BYTES)
    source = _Raw(version.upload_key)
    delimiter = version.profile.get("delimiter") or ("\t" if version.file_format == "tsv" else ",")
    reader = csv.reader(source, delimiter=delimiter, strict=True)
    is_header = True
    while True:
        line = source.number + 1
        source.taken.clear()
        try:
            cells = next(reader, None)
        except csv.Error:
            # From here on it is not certain where rows begin. The check stopped here, too.
            return
        if cells is None:
            return
        if any(cells) and (is_header or line in wanted):
            yield b"".join(source.taken)
            is_header = False


class _Raw:
    """A file's lines for the csv module, which keeps the bytes `taken` for the current row."""

    def __init__(self, key: str) -> None:
        self._lines = _bounded_lines(key)
        self.number = 0
        self.taken: list[bytes] = []

    def __iter__(self) -> Iterator[str]:
        for line in self._lines:
            self.number += 1
            if line is None or sum(map(len, self.taken)) > 2 * MAX_ROW_BYTES:
                raise csv.Error
            self.taken.append(line + b"\n")
            yield f"{line.decode('utf-8', 'replace')}\n"


def _bounded_lines(key: str) -> Iterator[bytes | None]:
    """Lines without line breaks and byte order mark. None stands for a line over the limit of a row."""
    start, rest, is_too_long = 0, b"", False
    while block := read_range(key, start, CHUNK_BYTES):
        if not start:
            block, start = block.removeprefix(BYTE_ORDER_MARK), len(block) - len(block.removeprefix(BYTE_ORDER_MARK))
        start += len(block)
        *lines, rest = (rest + block).split(b"\n")
        for line in lines:
            yield None if is_too_long else line
            is_too_long = False
        if len(rest) > MAX_ROW_BYTES:
            rest, is_too_long = b"", True
    if rest or is_too_long:
        yield None if is_too_long else rest
