"""Cuts a file of lines into blocks of whole lines, and hashes all of it on the way."""

import os
from collections.abc import Iterator
from hashlib import sha256
from typing import NamedTuple

BLOCK_BYTES = 1 << 20
UTF8_BOM = b"\xef\xbb\xbf"


class Span(NamedTuple):
    """Where whole lines lie. `is_too_long`: it is one line that exceeds the limit."""

    offset: int
    size: int
    is_too_long: bool = False


class Blocks:
    """Blocks of the file open as `descriptor`; a line may have `max_row_bytes`."""

    def __init__(self, descriptor: int, size: int, *, max_row_bytes: int) -> None:
        self._descriptor = descriptor
        self._size = size
        self._step = max(BLOCK_BYTES, max_row_bytes + 2)
        self.position = 0
        self.sha256 = sha256()

    def __iter__(self) -> Iterator[Span]:
        """In the file's order; a byte order mark is left out."""
        offset = 0
        if os.pread(self._descriptor, len(UTF8_BOM), 0) == UTF8_BOM:
            offset = len(UTF8_BOM)
            self.sha256.update(UTF8_BOM)
        while offset < self._size:
            data = os.pread(self._descriptor, self._step, offset)
            if not data:
                return
            end = data.rfind(b"\n") + 1
            if offset + len(data) >= self._size:
                end = len(data)
            if end:
                self.sha256.update(memoryview(data)[:end])
                yield Span(offset, end)
            else:
                end = self._skip_line(offset)
                yield Span(offset, end, is_too_long=True)
            offset += end
            self.position = offset

    def _skip_line(self, offset: int) -> int:
        """Bytes to the end of the line that begins at `offset`."""
        skipped = 0
        while data := os.pread(self._descriptor, BLOCK_BYTES, offset + skipped):
            end = data.find(b"\n") + 1
            part = data[: end or len(data)]
            self.sha256.update(part)
            skipped += len(part)
            if end:
                break
        return skipped
