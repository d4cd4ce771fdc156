"""One worker thread that decodes all requests in shared batches.

Waiting requests join the running batch every few steps, so a long answer does not block others and the prompts of a
burst are read together. A request whose adapter finds no free slot waits for one; later requests may go first.
"""

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

import torch

from lorakit.serve.decode import DecodeBatch, Sequence
from lorakit.serve.pool import SlotPool, StoredAdapter

MAX_WAITING = 1024
JOIN_EVERY = 4
"""Steps between joins. Fewer joins read more prompts together; more joins give earlier first tokens."""

BURST_SECONDS = 0.003
"""How long an idle worker waits for the rest of a burst."""


class Overloaded(Exception):
    """Too many requests are waiting."""


@dataclass(eq=False)
class Job:
    """A request in the worker, which calls `finished` once, with an error if decoding failed."""

    sequence: Sequence
    adapter: StoredAdapter | None
    finished: Callable[[BaseException | None], None]
    cancelled: threading.Event = field(default_factory=threading.Event)


class Batcher:
    """The worker thread and its queue."""

    def __init__(self, batch: DecodeBatch, pool: SlotPool, *, width: int = 32, threads: int = 1) -> None:
        self._batch = batch
        self._pool = pool
        self._width = width
        self._threads = threads
        self._waiting: deque[Job] = deque()
        self._active: list[Job] = []
        self._changed = threading.Condition()
        self._stopping = False
        self._worker = threading.Thread(target=self._work, name="batcher", daemon=True)

    def start(self) -> None:
        """Start the worker."""
        self._worker.start()

    def stop(self) -> None:
        """Stop the worker; waiting and running requests fail."""
        with self._changed:
            self._stopping = True
            self._changed.notify()
        self._worker.join()

    def submit(self, job: Job) -> None:
        """Queue a request. Raises `Overloaded`."""
        with self._changed:
            if self._stopping or len(self._waiting) >= MAX_WAITING:
                raise Overloaded
            self._waiting.append(job)
            self._changed.notify()

    def depth(self) -> tuple[int, int]:
        """The numbers of running and of waiting requests."""
        return len(self._active), len(self._waiting)

    def _work(self) -> None:
        torch.set_num_threads(self._threads)
        steps = 0
        while self._wait_for_work():
            try:
                if not self._active or steps % JOIN_EVERY == 0:
                    self._join()
                self._batch.step()
                steps += 1
            except Exception as error:
                self._fail(error)
            self._settle()
        self._fail(RuntimeError("the server is stopping"))

    def _wait_for_work(self) -> bool:
        """Block until there is work. Returns False if the worker must end."""
        with self._changed:
            if not self._active:
                self._changed.wait_for(lambda: self._waiting or self._stopping)
            idle = not self._active
        if idle and not self._stopping:
            time.sleep(BURST_SECONDS)
        return not self._stopping

    def _join(self) -> None:
        """Add waiting requests to the batch while there are room and slots."""
        joining: list[Job] = []
        ended: list[tuple[Job, BaseException | None]] = []
        with self._changed:
            for job in list(self._waiting):
                if job.cancelled.is_set():
                    job.sequence.finish = "cancelled"
                    ended.append((job, None))
                elif len(self._batch) + len(joining) < self._width:
                    try:
                        slot = self._pool.acquire(job.adapter)
                    except Exception as error:
                        ended.append((job, error))
                    else:
                        if slot is None:
                            continue
                        job.sequence.slot = slot
                        joining.append(job)
                else:
                    break
                self._waiting.remove(job)
            self._active.extend(joining)
        for job, reason in ended:
            job.finished(reason)
        if joining:
            self._batch.admit([job.sequence for job in joining])

    def _settle(self) -> None:
        """Report finished requests, and end those whose client has disconnected."""
        for job in [*self._active]:
            if job.cancelled.is_set() and job.sequence.finish is None:
                job.sequence.finish = "cancelled"
            if job.sequence.finish is not None:
                self._active.remove(job)
                self._pool.release(job.sequence.slot)
                job.finished(None)

    def _fail(self, error: BaseException) -> None:
        """Report an error to every request in the batch, and to the waiting ones if the worker ends."""
        self._batch.clear()
        failed = self._active
        self._active = []
        for job in failed:
            self._pool.release(job.sequence.slot)
        if self._stopping:
            failed = [*failed, *self._waiting]
            self._waiting.clear()
        for job in failed:
            job.finished(error)
