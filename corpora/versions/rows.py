"""The rows of a ready version, read straight from storage: some of them, or those that hold a text.

Rows are numbered from 1, the training rows and then the test rows, as in rows.idx.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Literal, overload

import msgspec
import numpy as np

from corpora.ingest.contracts import Row, Split
from corpora.ingest.index import RECORD
from corpora.models import DatasetVersion
from rest.errors import Conflict, NotFound, PortalError
from storage.errors import ObjectMissing
from storage.objects import object_lines, read_range

SEARCH_BYTES = 64 << 20
"""Read in one request of a search, which so takes no longer in a large dataset."""

PAGE_BYTES = 8 << 20
STREAMED_RECORDS = 1 << 14

Choice = Literal["all", "train", "test"]

_decoder = msgspec.json.Decoder(Row)


class BadCursor(PortalError):
    """The place to go on from is not in what was asked for."""

    code = "request:bad_cursor"

    def __init__(self) -> None:
        super().__init__("There is nothing at this cursor. Leave it out to begin at the first.", field="cursor")


class NotReady(Conflict):
    """Only a version whose check it has passed has rows."""

    code = "dataset:not_ready"

    def __init__(self, version: DatasetVersion) -> None:
        super().__init__(f"{version} has no rows: its check has not ended, or its file was rejected.")


@dataclass(frozen=True, kw_only=True)
class StoredRow:
    """A row, its number in the version, and its `line` in the customer's file (its row in a Parquet file)."""

    number: int
    line: int
    split: Split
    row: Row


@dataclass(frozen=True, kw_only=True)
class Found:
    """Rows of one request; the next one goes on at row `cursor`, None at the end.

    `searched` of `total` rows have been looked at so far, those of earlier requests among them.
    """

    rows: list[StoredRow]
    cursor: int | None
    searched: int
    total: int


class Rows(Sequence[StoredRow]):
    """The rows of a version, or of one split of it; a slice reads the rows in it and no others.

    Raises NotReady, and where storage has lost them ObjectMissing.
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
        """Every row in turn, in memory that does not grow with their number."""
        for first in range(self.first, self.last + 1, STREAMED_RECORDS):
            records = self._records(first, min(first + STREAMED_RECORDS, self.last + 1))
            lines = islice(self._lines(first), len(records))
            for record, (number, line) in zip(records, lines, strict=True):
                yield self._stored(number, _decoder.decode(line), record)

    def numbered(self, number: int) -> StoredRow:
        """One row; raises NotFound."""
        if not self.first <= number <= self.last:
            raise NotFound(f"This version has no row {number:,}.")
        return self[number - self.first]

    def page(self, *, cursor: int | None, size: int) -> Found:
        """At most `size` rows and about PAGE_BYTES from row `cursor` on, or from the first; raises BadCursor."""
        first = self._place(cursor)
        stop = min(first + size, self.last + 1)
        if stop > first:
            read = np.cumsum(self._records(first, stop)["bytes"])
            stop = first + max(1, int(np.searchsorted(read, PAGE_BYTES)))
        return self._found(self._read(first, stop), stop)

    def search(self, text: str, *, cursor: int | None, size: int) -> Found:
        """At most `size` rows that hold `text`, whatever its case, among those read from `cursor` on.

        Ends before that after SEARCH_BYTES; raises BadCursor.
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
        """Rows `first` to before `stop`, by one read of the index and one of each split's file."""
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
        """The lines of the files from row `first` on, each with its row's number."""
        for split, end in (("train", self._version.train_count), ("test", self._version.row_count)):
            last = min(end, self.last)
            if first <= last:
                start = int(self._records(first, first + 1)[0]["offset"])
                number = first - 1
                for number, line in enumerate(islice(object_lines(self._key(split), start), last + 1 - first), first):
                    yield number, line
                if number < last:
                    # The file lost its end: nobody may take what is left for all there was.
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
    """A text to find in rows, in any case."""

    def __init__(self, text: str) -> None:
        self._text = text.casefold()
        # As it stands in a line, so that most lines need not be decoded.
        self._written = msgspec.json.encode(self._text).decode()[1:-1].casefold()

    def find(self, line: bytes) -> Row | None:
        """The row in the line, if it holds the text in a message, its label or its slice."""
        if self._written not in line.decode().casefold():
            return None
        row = _decoder.decode(line)
        texts = [row.slice, row.label or "", *(message.content for message in row.messages)]
        return row if any(self._text in text.casefold() for text in texts) else None
