"""Writes the records of many requests to the ledger with one flush."""

import asyncio
import contextlib
from concurrent.futures import ThreadPoolExecutor

import structlog

from lorakit.contracts import InvocationRecord
from serving.gateway.ledger import Ledger, no_room

log = structlog.get_logger(__name__)

RETRY_SECONDS = 1.0

Waiting = tuple[InvocationRecord, "asyncio.Future[None]"]


class Journal:
    """A group commit: the records that come while others are being flushed share the next flush."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="journal")
        self._waiting: list[Waiting] = []
        self._flushing: asyncio.Task[None] | None = None
        self._owed: set[asyncio.Task[None]] = set()

    def has_room(self) -> bool:
        """Whether what is answered now can be recorded, as far as can be said before; and nothing is owed."""
        return not self._owed and self._ledger.has_room()

    async def append(self, record: InvocationRecord) -> None:
        """Returns once the record is on disk; raises OSError when it cannot be. Written also if the caller is gone."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((record, done))
        if self._flushing is None:
            self._flushing = asyncio.create_task(self._flush())
        await asyncio.shield(done)

    def owe(self, record: InvocationRecord) -> None:
        """Write the record of an answer that was given already as soon as there is room."""
        writing = asyncio.create_task(self._write_when_there_is_room(record))
        self._owed.add(writing)
        writing.add_done_callback(self._owed.discard)

    async def close(self) -> None:
        """Write what waits, then let go of the file. What is owed still has no room and is lost."""
        if self._owed:
            log.error("ledger_records_lost", count=len(self._owed))
        for writing in self._owed:
            writing.cancel()
        if self._flushing is not None:
            await self._flushing
        await asyncio.to_thread(self._thread.shutdown)
        self._ledger.close()

    async def _write_when_there_is_room(self, record: InvocationRecord) -> None:
        while True:
            await asyncio.sleep(RETRY_SECONDS)
            with contextlib.suppress(OSError):
                await self.append(record)
                return

    async def _flush(self) -> None:
        loop = asyncio.get_running_loop()
        while self._waiting:
            batch, self._waiting = self._waiting, []
            try:
                written = await loop.run_in_executor(
                    self._thread, self._ledger.append_all, [record for record, _ in batch]
                )
                error: Exception = no_room()
            except Exception as failure:
                written, error = 0, failure
            for index, (_, done) in enumerate(batch):
                if index < written:
                    done.set_result(None)
                else:
                    done.set_exception(error)
        self._flushing = None
