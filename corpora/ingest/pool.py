"""Reads blocks in several processes at once and hands their batches on in the file's order."""

import mmap
import multiprocessing
import os
import signal
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import replace
from multiprocessing.connection import Connection

from corpora.ingest.batch import Batch
from corpora.ingest.blocks import Span
from corpora.ingest.reader import Reader
from lorakit.errors import RunError

AHEAD = 2
"""Blocks that each process may be ahead: one being read while one waits to be taken."""

_fork = multiprocessing.get_context("fork")


class Pool:
    """`processes` readers of the file open as `descriptor`, which they share with this process.

    A batch's text comes through shared memory and is valid until the next is asked for. The readers end when this
    process does.
    """

    def __init__(self, reader: Reader, descriptor: int, *, processes: int, text_bytes: int) -> None:
        self._texts = [[mmap.mmap(-1, text_bytes) for _ in range(AHEAD)] for _ in range(processes)]
        self._connections: list[Connection] = []
        self._processes = []
        for texts in self._texts:
            ours, theirs = _fork.Pipe()
            process = _fork.Process(target=_read, args=(reader, descriptor, theirs, texts, [*self._connections, ours]))
            process.daemon = True
            process.start()
            theirs.close()
            self._connections.append(ours)
            self._processes.append(process)

    def batches(self, spans: Iterable[Span]) -> Iterator[Batch]:
        """The batch of each span, in order; raises RunError if a reader died."""
        waiting: deque[tuple[int, int]] = deque()
        room = AHEAD * len(self._processes)
        try:
            for number, span in enumerate(spans):
                if len(waiting) == room:
                    yield self._take(*waiting.popleft())
                worker, slot = number % len(self._processes), number // len(self._processes) % AHEAD
                self._connections[worker].send((span, slot))
                waiting.append((worker, slot))
            while waiting:
                yield self._take(*waiting.popleft())
        except (EOFError, ConnectionError):
            text = "A process that read the file was ended from outside. We read it again."
            raise RunError("platform:reader_lost", text, temporary=True) from None

    def _take(self, worker: int, slot: int) -> Batch:
        batch: Batch | BaseException
        size: int | None
        batch, size = self._connections[worker].recv()
        if isinstance(batch, BaseException):
            raise batch
        return batch if size is None else replace(batch, text=memoryview(self._texts[worker][slot])[:size])

    def close(self) -> None:
        """End the readers."""
        for connection in self._connections:
            connection.close()
        for process in self._processes:
            process.terminate()
            process.join()


def _read(
    reader: Reader, descriptor: int, connection: Connection, texts: list[mmap.mmap], inherited: list[Connection]
) -> None:
    # The parent's own handlers came along, and would keep this process alive.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    for other in inherited:
        other.close()
    while True:
        try:
            span, slot = connection.recv()
        except EOFError:
            return
        connection.send(_batch(reader, descriptor, span, texts[slot]))


def _batch(reader: Reader, descriptor: int, span: Span, shared: mmap.mmap) -> tuple[Batch | BaseException, int | None]:
    """(the batch, bytes of its text in the shared memory, or None if it came with the batch)."""
    try:
        if span.is_too_long:
            return reader.too_long(), None
        batch = reader.block(os.pread(descriptor, span.size, span.offset))
    except MemoryError as error:
        return error, None
    size = len(batch.text)
    if size > len(shared):
        return replace(batch, text=bytes(batch.text)), None
    shared[:size] = batch.text
    return replace(batch, text=b""), size
