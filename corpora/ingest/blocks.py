"""Cuts a file of lines into blocks of whole lines, and hashes all of it on the way."""

import os
from collections.abc import Iterator
from hashlib import sha256
from itertools import cycle
from mmap import mmap
from typing import NamedTuple

from corpora.ingest.background import WAITING, Background

BLOCK_BYTES = 2 << 20
BLOCK_LINES = 2_000
"""About as many lines a block has at most: memory grows with the number of short rows, not with their bytes."""

HEAD_BYTES = 1 << 16
SKIP_BYTES = 1 << 18
UTF8_BOM = b"\xef\xbb\xbf"


class Block(NamedTuple):
    """Whole lines: the first `size` bytes of `buffers[place]`, or none if they are one line that exceeds the limit."""

    place: int
    size: int

    @property
    def is_too_long(self) -> bool:
        """Whether it stands for a line that cannot be read."""
        return not self.size


class Blocks:
    """Blocks of the file open as `descriptor`, read into buffers in turns; a line may have `max_row_bytes`.

    A block may be used until `ahead` more have been read. The buffers are shared with processes that are forked later.
    """

    def __init__(self, descriptor: int, size: int, *, max_row_bytes: int, ahead: int) -> None:
        self._descriptor = descriptor
        self._size = size
        # What is waiting to be hashed is in use too.
        count = max(ahead, WAITING) + 1
        self.buffers = [mmap(-1, max(BLOCK_BYTES, max_row_bytes + 2)) for _ in range(count)]
        self.position = 0
        self._sha256 = sha256()
        self._hashing = Background()

    def sha256(self) -> str:
        """Of all that has been read, in hexadecimal digits."""
        self._hashing.wait()
        return self._sha256.hexdigest()

    def close(self) -> None:
        """End what goes on beside."""
        self._hashing.close()

    def __iter__(self) -> Iterator[Block]:
        """In the file's order; a byte order mark is left out."""
        if os.pread(self._descriptor, len(UTF8_BOM), 0) == UTF8_BOM:
            self._pass(UTF8_BOM)
        for place, buffer in cycle(enumerate(self.buffers)):
            if self.position >= self._size:
                return
            read = os.preadv(self._descriptor, [buffer], self.position)
            if not read:
                return
            end = self._end(buffer, read)
            if end:
                self._pass(memoryview(buffer)[:end])
            else:
                self._skip_line()
            yield Block(place, end)

    def _end(self, buffer: mmap, read: int) -> int:
        """Where the block ends, of which `read` bytes were read; 0 if no line ends in them."""
        head = buffer[: min(read, HEAD_BYTES)]
        wanted = min(read, len(head) * BLOCK_LINES // (head.count(b"\n") + 1))
        is_last = self.position + read >= self._size
        return buffer.rfind(b"\n", 0, wanted) + 1 or (read if is_last else buffer.rfind(b"\n", 0, read) + 1)

    def _skip_line(self) -> None:
        while data := os.pread(self._descriptor, SKIP_BYTES, self.position):
            end = data.find(b"\n") + 1
            self._pass(data[: end or len(data)])
            if end:
                return

    def _pass(self, data: bytes | memoryview) -> None:
        self._hashing.do(self._sha256.update, data)
        self.position += len(data)
