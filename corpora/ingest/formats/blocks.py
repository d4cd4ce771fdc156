"""Splits a file into blocks of whole lines and hashes it in the same pass."""

import os
from collections.abc import Iterator
from hashlib import sha256
from itertools import cycle
from mmap import mmap
from typing import BinaryIO, NamedTuple, Protocol

from corpora.ingest.background import WAITING, Background

BLOCK_BYTES = 1 << 20
BLOCK_LINES = 2_000
"""Approximate limit of lines in a block, since memory grows with the number of rows, not with their bytes."""

HEAD_BYTES = 1 << 16
SKIP_BYTES = 1 << 18
UTF8_BOM = b"\xef\xbb\xbf"


class Block(NamedTuple):
    """Whole rows from `start` on (in bytes, or in rows of a Parquet file): the first `size` bytes of `buffers[place]`.

    There are none if they are one line that exceeds the limit.
    """

    place: int
    size: int
    start: int

    @property
    def is_too_long(self) -> bool:
        """Whether the block stands for a line over the limit."""
        return not self.size


class Blocks(Protocol):
    """Blocks of a file in its order, read into `buffers` in turns.

    A block may be used until `ahead` more have been read. The buffers are shared with processes that are forked later.
    What is behind the last block, from `position` on, can only be read row by row.
    """

    buffers: list[mmap]
    position: int

    def __iter__(self) -> Iterator[Block]: ...

    def fraction(self) -> float:
        """Share of the file that has been read."""

    def is_done(self) -> bool:
        """Whether all of it has been read."""

    def sha256(self) -> str:
        """SHA-256 of the whole file in hexadecimal, once all was read."""

    def close(self) -> None:
        """End the hashing thread."""


class LineBlocks:
    """Blocks of whole lines of the file open as `descriptor` from `offset` on; a line may have `max_row_bytes`."""

    def __init__(self, descriptor: int, size: int, *, max_row_bytes: int, ahead: int, offset: int = 0) -> None:
        self._descriptor = descriptor
        self._size = size
        self._offset = offset
        # Blocks that wait to be hashed are in use too.
        self.buffers = shared_buffers(max(ahead, WAITING) + 1, max_row_bytes)
        self.position = 0
        self._sha256 = sha256()
        self._hashing = Background()

    def fraction(self) -> float:
        """Share of the bytes that have been read."""
        return self.position / self._size

    def is_done(self) -> bool:
        """Whether all of it has been read."""
        return self.position >= self._size

    def sha256(self) -> str:
        """SHA-256 of everything read, in hexadecimal."""
        self._hashing.wait()
        return self._sha256.hexdigest()

    def close(self) -> None:
        """End the hashing thread."""
        self._hashing.close()

    def __iter__(self) -> Iterator[Block]:
        """In the file's order."""
        self._pass(os.pread(self._descriptor, self._offset, 0))
        for place, buffer in cycle(enumerate(self.buffers)):
            if self.position >= self._size:
                return
            read = os.preadv(self._descriptor, [buffer], self.position)
            if not read:
                return
            start, end = self.position, self._end(buffer, read)
            if end:
                self._pass(memoryview(buffer)[:end])
            elif not self._skip():
                return
            yield Block(place, end, start)

    def _end(self, buffer: mmap, read: int) -> int:
        """The end of the block in the `read` bytes, or 0 if no line ends there."""
        head = buffer[: min(read, HEAD_BYTES)]
        wanted = min(read, len(head) * BLOCK_LINES // (head.count(b"\n") + 1))
        is_last = self.position + read >= self._size
        return buffer.rfind(b"\n", 0, wanted) + 1 or (read if is_last else buffer.rfind(b"\n", 0, read) + 1)

    def _skip(self) -> bool:
        """Skip a line over the limit. Returns whether blocks can continue after it."""
        while data := os.pread(self._descriptor, SKIP_BYTES, self.position):
            end = data.find(b"\n") + 1
            self._pass(data[: end or len(data)])
            if end:
                break
        return True

    def _pass(self, data: bytes | memoryview) -> None:
        self._hashing.do(self._sha256.update, data)
        self.position += len(data)


class TableBlocks(LineBlocks):
    """Blocks that end after a line where the number of quotation marks is even, so probably at the end of a row."""

    def _end(self, buffer: mmap, read: int) -> int:
        end = super()._end(buffer, read)
        quotes = buffer[:end].count(b'"')
        while end and quotes % 2:
            before = buffer.rfind(b"\n", 0, end - 1) + 1
            quotes -= buffer[before:end].count(b'"')
            end = before
        return end

    def _skip(self) -> bool:
        return False


def shared_buffers(count: int, max_row_bytes: int) -> list[mmap]:
    """Shared buffers, each for a block or the longest row."""
    return [mmap(-1, max(BLOCK_BYTES, max_row_bytes + 2)) for _ in range(count)]


def text_offset(file: BinaryIO) -> int:
    """The offset of the text, after a byte order mark if there is one."""
    file.seek(0)
    return len(UTF8_BOM) if file.read(len(UTF8_BOM)) == UTF8_BOM else 0
