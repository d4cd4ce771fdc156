"""Writes the records of many requests to the ledger with one flush."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

from lorakit.contracts import InvocationRecord
from serving.gateway.ledger import Ledger

Waiting = tuple[InvocationRecord, "asyncio.Future[None]"]


class Journal:
    """A group commit: the records that come while others are being flushed share the next flush."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="journal")
        self._waiting: list[Waiting] = []
        self._flushing: asyncio.Task[None] | None = None

    async def append(self, record: InvocationRecord) -> None:
        """Returns once the record is on disk; raises OSError when it cannot be. Written also if the caller is gone."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((record, done))
        if self._flushing is None:
            self._flushing = asyncio.create_task(self._flush())
        await asyncio.shield(done)

    async def close(self) -> None:
        """Write what waits, then let go of the file."""
        if self._flushing is not None:
            await self._flushing
        await asyncio.to_thread(self._thread.shutdown)
        self._ledger.close()

    async def _flush(self) -> None:
        loop = asyncio.get_running_loop()
        while self._waiting:
            batch, self._waiting = self._waiting, []
            try:
                written = await loop.run_in_executor(
                    self._thread, self._ledger.append_all, [record for record, _ in batch]
                )
                error: Exception = OSError("the ledger's disk is full")
            except Exception as failure:
                written, error = 0, failure
            for index, (_, done) in enumerate(batch):
                if index < written:
                    done.set_result(None)
                else:
                    done.set_exception(error)
        self._flushing = None
