"""Reads blocks in several processes and returns their batches in the file's order."""

import gc
import mmap
import multiprocessing
import signal
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from multiprocessing.connection import Connection

from corpora.ingest.batch import Batch
from corpora.ingest.formats.blocks import Block, Blocks
from corpora.ingest.reading.reader import Reader
from lorakit.errors import RunError

AHEAD = 2
"""Blocks that each process may be ahead: one being read while one waits to be taken."""

_fork = multiprocessing.get_context("fork")


class Pool:
    """`processes` readers of `blocks`, whose buffers they share with this process: AHEAD for each.

    A batch's text comes through shared memory too and is valid until the next is asked for. The readers end when this
    process does.
    """

    def __init__(self, reader: Reader, blocks: Blocks, *, processes: int, text_bytes: int) -> None:
        self._blocks = blocks
        self._texts = [[mmap.mmap(-1, text_bytes) for _ in range(AHEAD)] for _ in range(processes)]
        self._connections: list[Connection] = []
        self._processes = []
        # Existing objects are excluded from garbage collection, which would copy them into each process.
        gc.freeze()
        for texts in self._texts:
            ours, theirs = _fork.Pipe()
            inherited = [*self._connections, ours]
            process = _fork.Process(target=_read, args=(reader, blocks.buffers, theirs, texts, inherited))
            process.daemon = True
            process.start()
            theirs.close()
            self._connections.append(ours)
            self._processes.append(process)

    def batches(self) -> Iterator[tuple[Block, Batch | None]]:
        """The result of `Reader.block` for each block, in order. Raises RunError if a reader died."""
        waiting: deque[tuple[Block, int, int]] = deque()
        room = AHEAD * len(self._processes)
        try:
            for number, block in enumerate(self._blocks):
                if len(waiting) == room:
                    yield self._take(*waiting.popleft())
                worker, slot = number % len(self._processes), number // len(self._processes) % AHEAD
                self._connections[worker].send((block, slot))
                waiting.append((block, worker, slot))
            while waiting:
                yield self._take(*waiting.popleft())
        except (EOFError, ConnectionError):
            text = "A process that reads the file was stopped from outside."
            raise RunError("platform:reader_lost", text, temporary=True) from None

    def _take(self, block: Block, worker: int, slot: int) -> tuple[Block, Batch | None]:
        batch: Batch | BaseException | None
        size: int | None
        batch, size = self._connections[worker].recv()
        if isinstance(batch, BaseException):
            raise batch
        if batch and size is not None:
            batch = replace(batch, text=memoryview(self._texts[worker][slot])[:size])
        return block, batch

    def close(self) -> None:
        """End the readers."""
        for connection in self._connections:
            connection.close()
        for process in self._processes:
            process.terminate()
            process.join()


def _read(
    reader: Reader,
    buffers: list[mmap.mmap],
    connection: Connection,
    texts: list[mmap.mmap],
    inherited: list[Connection],
) -> None:
    # The inherited handlers of the parent would keep this process alive.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    for other in inherited:
        other.close()
    # A block's rows are many objects without cycles, so garbage collection only costs time.
    gc.set_threshold(100_000)
    # The parent may end a pass at any time.
    with suppress(EOFError, ConnectionError):
        while True:
            block, slot = connection.recv()
            connection.send(_batch(reader, memoryview(buffers[block.place])[: block.size], memoryview(texts[slot])))


def _batch(reader: Reader, data: memoryview, text: memoryview) -> tuple[Batch | BaseException | None, int | None]:
    """(the batch, bytes of its text in `text`, or None if it came with the batch)."""
    try:
        batch = reader.block(data) if data else reader.too_long()
    except MemoryError as error:
        return error, None
    if batch is None or len(batch.text) > len(text):
        return batch, None
    size = len(batch.text)
    text[:size] = batch.text
    return replace(batch, text=b""), size
