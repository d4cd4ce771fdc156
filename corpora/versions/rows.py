"""Reads and searches the rows of a ready version directly from storage.

Rows are numbered from 1, training rows first, then test rows, as in rows.idx.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Literal, overload

import msgspec
import numpy as np

from corpora.ingest.assembly.index import RECORD
from corpora.ingest.contracts import Row, Split
from corpora.models import DatasetVersion
from rest.errors import Conflict, NotFound, PortalError
from storage.errors import ObjectMissing
from storage.objects import object_lines, read_range

SEARCH_BYTES = 64 << 20
"""Bytes that one search request reads at most, so that it takes no longer in a large dataset."""

PAGE_BYTES = 8 << 20
STREAMED_RECORDS = 1 << 14
NO_SUCH_ROW = "This version has no such row."

Choice = Literal["all", "train", "test"]

_decoder = msgspec.json.Decoder(Row)


class BadCursor(PortalError):
    """The cursor is not a position in the list."""

    code = "request:bad_cursor"

    def __init__(self) -> None:
        super().__init__("Invalid cursor. Omit it to start from the first page.", field="cursor")


class NotReady(Conflict):
    """The version has no rows, because it has not passed its check."""

    code = "dataset:not_ready"

    def __init__(self, version: DatasetVersion) -> None:
        super().__init__(
            f"{version} has no rows. Its check has not finished, or its file was rejected. Open it to see which."
        )


@dataclass(frozen=True, kw_only=True)
class StoredRow:
    """A row with its number in the version and its `line` in the customer's file (row in a Parquet file)."""

    number: int
    line: int
    split: Split
    row: Row


@dataclass(frozen=True, kw_only=True)
class Found:
    """A page of rows. The next page starts at row `cursor`; None at the end.

    `searched` of `total` rows have been read so far, including earlier pages.
    """

    rows: list[StoredRow]
    cursor: int | None
    searched: int
    total: int


class Rows(Sequence[StoredRow]):
    """The rows of a version or of one of its splits. Slicing reads only the rows of the slice.

    Raises NotReady, and ObjectMissing if storage has lost the rows.
    """

    def __init__(self, version: DatasetVersion, split: Choice = "all") -> None:
        if not version.is_ready:
            raise NotReady(version)
        self._version = version
        self.first = version.train_count + 1 if split == "test" else 1
        self.last = version.train_count if split == "train" else version.row_count

    def __len__(self) -> int:
        return max(0, self.last + 1 - self.first)

    @overload
    def __getitem__(self, index: int) -> StoredRow: ...

    @overload
    def __getitem__(self, index: slice) -> list[StoredRow]: ...

    def __getitem__(self, index: int | slice) -> StoredRow | list[StoredRow]:
        if isinstance(index, slice):
            start, stop, _ = index.indices(len(self))
            return self._read(self.first + start, self.first + stop)
        return self[index : index + 1][0]

    def __iter__(self) -> Iterator[StoredRow]:
        """Every row in order, in constant memory."""
        for first in range(self.first, self.last + 1, STREAMED_RECORDS):
            records = self._records(first, min(first + STREAMED_RECORDS, self.last + 1))
            lines = islice(self._lines(first), len(records))
            for record, (number, line) in zip(records, lines, strict=True):
                yield self._stored(number, _decoder.decode(line), record)

    def numbered(self, number: int) -> StoredRow:
        """The row with this number. Raises NotFound."""
        if not self.first <= number <= self.last:
            raise NotFound(f"This version has no row {number:,}.")
        return self[number - self.first]

    def with_id(self, row_id: str) -> StoredRow:
        """The first row with this id, 32 hexadecimal digits. Reads the index up to it. Raises NotFound."""
        try:
            wanted = np.frombuffer(bytes.fromhex(row_id), dtype="<u8").reshape(2)
        except ValueError:
            raise NotFound(NO_SUCH_ROW) from None
        for first in range(self.first, self.last + 1, STREAMED_RECORDS):
            ids = self._records(first, min(first + STREAMED_RECORDS, self.last + 1))["id"].tobytes()
            found = np.flatnonzero((np.frombuffer(ids, dtype="<u8").reshape(-1, 2) == wanted).all(axis=1))
            if len(found):
                return self.numbered(first + int(found[0]))
        raise NotFound(NO_SUCH_ROW)

    def page(self, *, cursor: int | None, size: int) -> Found:
        """At most `size` rows and about PAGE_BYTES, from row `cursor` or the first row. Raises BadCursor."""
        first = self._place(cursor)
        stop = min(first + size, self.last + 1)
        if stop > first:
            read = np.cumsum(self._records(first, stop)["bytes"])
            stop = first + max(1, int(np.searchsorted(read, PAGE_BYTES)))
        return self._found(self._read(first, stop), stop)

    def search(self, text: str, *, cursor: int | None, size: int) -> Found:
        """At most `size` rows that contain `text`, ignoring case, from row `cursor` or the first row.

        Stops after reading SEARCH_BYTES. Raises BadCursor.
        """
        stop = self._place(cursor)
        needle = Needle(text)
        found: list[StoredRow] = []
        read = 0
        for number, line in self._lines(stop):
            stop = number + 1
            read += len(line)
            if row := needle.find(line):
                found.append(self._stored(number, row, self._records(number, number + 1)[0]))
            if len(found) == size or read >= SEARCH_BYTES:
                break
        return self._found(found, stop)

    def _place(self, cursor: int | None) -> int:
        if cursor is None:
            return self.first
        if not self.first <= cursor <= self.last:
            raise BadCursor
        return cursor

    def _found(self, rows: list[StoredRow], stop: int) -> Found:
        cursor = stop if stop <= self.last else None
        return Found(rows=rows, cursor=cursor, searched=stop - self.first, total=len(self))

    def _read(self, first: int, stop: int) -> list[StoredRow]:
        """The rows from `first` up to `stop`, exclusive. Reads the index once, and each split's file at most once."""
        records = self._records(first, stop)
        lines: list[bytes] = []
        for split in ("train", "test"):
            part = [r for number, r in enumerate(records, first) if self._split(number) == split]
            if part:
                start = int(part[0]["offset"])
                length = int(part[-1]["offset"] + part[-1]["bytes"]) - start
                block = read_range(self._key(split), start, length)
                if len(block) < length:
                    raise ObjectMissing
                places = [int(record["offset"]) - start for record in part]
                lines += [block[p : p + int(r["bytes"])] for p, r in zip(places, part, strict=True)]
        return [
            self._stored(number, _decoder.decode(line), record)
            for number, (record, line) in enumerate(zip(records, lines, strict=True), first)
        ]

    def _lines(self, first: int) -> Iterator[tuple[int, bytes]]:
        """The number and line of each row, starting at row `first`."""
        for split, end in (("train", self._version.train_count), ("test", self._version.row_count)):
            last = min(end, self.last)
            if first <= last:
                start = int(self._records(first, first + 1)[0]["offset"])
                number = first - 1
                for number, line in enumerate(islice(object_lines(self._key(split), start), last + 1 - first), first):
                    yield number, line
                if number < last:
                    # The file is truncated, and must not be mistaken for a complete one.
                    raise ObjectMissing
                first = last + 1

    def _stored(self, number: int, row: Row, record: Any) -> StoredRow:
        return StoredRow(number=number, line=int(record["line"]), split=self._split(number), row=row)

    def _records(self, first: int, stop: int) -> Any:
        if stop <= first:
            return []
        size = RECORD.itemsize
        data = read_range(self._version.index_key, (first - 1) * size, (stop - first) * size)
        if len(data) != (stop - first) * size:
            raise ObjectMissing
        return np.frombuffer(data, RECORD)

    def _split(self, number: int) -> Split:
        return "train" if number <= self._version.train_count else "test"

    def _key(self, split: str) -> str:
        return self._version.train_key if split == "train" else self._version.test_key


class Needle:
    """A text to find in rows, ignoring case."""

    def __init__(self, text: str) -> None:
        self._text = text.casefold()
        # The JSON form of the text, so that most lines need not be decoded.
        self._written = msgspec.json.encode(self._text).decode()[1:-1].casefold()

    def find(self, line: bytes) -> Row | None:
        """The row of the line if a message, a mark or what is kept with it contains the text, otherwise None."""
        if self._written not in line.decode().casefold():
            return None
        row = _decoder.decode(line)
        texts = [row.slice, row.label or "", *row.metadata.values(), *(message.content for message in row.messages)]
        return row if any(self._text in text.casefold() for text in texts) else None
