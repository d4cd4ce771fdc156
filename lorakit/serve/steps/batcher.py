"""One worker thread that decodes all requests in shared batches.

At every step it chooses anew which requests take part: one of each group in turn, up to the width of a batch. So a
long answer, a long prompt or many requests of one group hold up nobody else for more than a step, and one that is left
out keeps what it has. Adapters are loaded by a thread of their own, while others go on.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Set
from dataclasses import dataclass, field
from itertools import islice

import torch

from lorakit.serve.adapters.loader import Loader
from lorakit.serve.adapters.pool import StoredAdapter
from lorakit.serve.steps.decode import DecodeBatch
from lorakit.serve.steps.fairness import FairQueue
from lorakit.serve.steps.sequences import Sequence
from lorakit.serve.steps.share import Turn, divide

log = logging.getLogger(__name__)

MAX_WAITING = 1024
LOOK_AHEAD = 8
"""Times the width of a batch: how many requests are looked at for a step, where the first wait for adapters."""

LOADING_SECONDS = 1.0
"""How long the worker sleeps at most, with nothing to do until an adapter is loaded; it is woken before."""


class Overloaded(Exception):
    """Too many requests are waiting."""


@dataclass(eq=False)
class Job:
    """A request in the worker, which calls `finished` once, with an error if decoding failed.

    No `group` waits behind the many requests of another. All `sequences` use the same adapter.

    `arrived` and `began`, its first step, are in seconds of the same clock. It is `cold` if it waited for its adapter.
    """

    sequences: list[Sequence]
    adapter: StoredAdapter | None
    finished: Callable[[BaseException | None], None]
    group: str = ""
    cancelled: threading.Event = field(default_factory=threading.Event)
    arrived: float = field(default_factory=time.perf_counter)
    began: float | None = None
    cold: bool = False

    @property
    def queued_seconds(self) -> float:
        """How long it waited, or has waited until now, for its first step."""
        return (time.perf_counter() if self.began is None else self.began) - self.arrived


@dataclass(frozen=True, eq=False)
class Preload:
    """An adapter to put into a slot before anybody asks for it; `finished` gets the error if that fails.

    Unless `may_evict`, it is left out where no slot is free.
    """

    adapter: StoredAdapter
    may_evict: bool
    finished: Callable[[BaseException | None], None]


class Batcher:
    """The worker thread and its queue.

    `width` is how many rows take part in a step, `chunk` how many tokens of prompts are read in it, and `cache_tokens`
    for how many tokens keys and values are kept. `loaded` gets the seconds that loading an adapter took.
    """

    def __init__(
        self,
        batch: DecodeBatch,
        *,
        width: int = 32,
        chunk: int = 256,
        threads: int = 1,
        loaded: Callable[[float], None] = lambda seconds: None,
        cache_tokens: int | None = None,
    ) -> None:
        self._batch = batch
        self._loader = Loader(batch.pool, self._wake, loaded)
        self._width = width
        self._chunk = chunk
        self._threads = threads
        batch.cache.limit = cache_tokens or width * batch.context
        self._arrived: deque[Job] = deque()
        self._preloads: list[Preload] = []
        self._queue: FairQueue[Sequence] = FairQueue()
        self._jobs: dict[Sequence, Job] = {}
        self._running = 0
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
        self._loader.close()

    def submit(self, job: Job) -> None:
        """Queue a request. Raises `Overloaded`."""
        with self._changed:
            if self._stopping or self.depth()[1] >= MAX_WAITING:
                raise Overloaded
            self._arrived.append(job)
            self._changed.notify()

    def preload(self, preload: Preload) -> None:
        """Put an adapter into a slot."""
        with self._changed:
            self._preloads.append(preload)
            self._changed.notify()

    @property
    def cache_share(self) -> float:
        """How much of the memory for keys and values is in use, from 0 to 1."""
        cache = self._batch.cache
        return min(1.0, cache.size / (cache.limit * cache.shape.bytes_per_token))

    @property
    def cache_size(self) -> int:
        """Bytes of keys and values."""
        return self._batch.cache.size

    def depth(self) -> tuple[int, int]:
        """The numbers of rows in the last step and of other rows that wait."""
        running = self._running
        return running, max(0, len(self._jobs) + sum(len(job.sequences) for job in [*self._arrived]) - running)

    def _wake(self) -> None:
        with self._changed:
            self._changed.notify()

    def _work(self) -> None:
        torch.set_num_threads(self._threads)
        while self._wait_for_work():
            turns: list[Turn[Sequence]] = []
            try:
                turns = self._plan()
                self._running = len(turns)
                if turns:
                    self._begin(turns)
                    self._batch.step(turns)
                else:
                    self._sleep()
            except Exception as error:
                log.exception("a step of %d rows failed", len(turns))
                self._fail([turn.row for turn in turns] or [*self._queue], error)
            for turn in turns:
                if turn.row in self._queue:
                    self._queue.serve(turn.row, turn.count)
            self._settle()
        self._take_arrived()
        stopping = RuntimeError("the server is stopping")
        self._fail([*self._queue], stopping)
        for one in self._preloads:
            one.finished(stopping)

    def _begin(self, turns: list[Turn[Sequence]]) -> None:
        now = time.perf_counter()
        for job in {self._jobs[turn.row] for turn in turns}:
            if job.began is None:
                job.began = now

    def _wait_for_work(self) -> bool:
        """Block until there is work. Returns False if the worker must end."""
        with self._changed:
            self._running = min(self._running, len(self._queue))
            self._changed.wait_for(lambda: self._queue or self._arrived or self._preloads or self._stopping)
            return not self._stopping

    def _sleep(self) -> None:
        """Wait until an adapter is loaded or a request comes."""
        with self._changed:
            if not self._arrived and not self._stopping and not self._loader.has_news:
                self._changed.wait(LOADING_SECONDS)

    def _take_arrived(self) -> None:
        while self._arrived:
            job = self._arrived.popleft()
            for row in job.sequences:
                self._jobs[row] = job
                self._queue.add(job.group, row)

    def _plan(self) -> list[Turn[Sequence]]:
        """Who takes part in the next step, and with how much."""
        self._take_arrived()
        self._end_cancelled()
        self._loader.collect()
        candidates = list(islice(self._queue.in_order(), LOOK_AHEAD * self._width))
        adapters = [self._jobs[row].adapter for row in candidates]
        wanted = self._loader.wanted([*(one.adapter for one in self._preloads if one.may_evict), *adapters])
        self._put_in_slots(wanted)
        chosen: list[Sequence] = []
        for row in candidates:
            # With a row whose adapter can't be loaded go the others of its request.
            if row.follows or row not in self._jobs:
                continue
            adapter = self._jobs[row].adapter
            try:
                slot = self._loader.slot_of(adapter, wanted)
            except Exception as error:
                self._fail(self._jobs[row].sequences, error)
                continue
            if slot is None:
                self._jobs[row].cold = True
            elif len(chosen) < self._width:
                row.slot = slot
                chosen.append(row)
        fitting = self._fit(candidates, chosen)
        return divide([(self._queue.group_of(row), row) for row in fitting], self._chunk)

    def _put_in_slots(self, wanted: Set[str]) -> None:
        for one in [*self._preloads]:
            error: BaseException | None = None
            if one.may_evict or self._batch.pool.has_free:
                try:
                    if self._loader.slot_of(one.adapter, wanted | {one.adapter.sha256}) is None:
                        continue
                except Exception as failure:
                    error = failure
            self._preloads.remove(one)
            one.finished(error)

    def _fit(self, candidates: list[Sequence], chosen: list[Sequence]) -> list[Sequence]:
        """As many of the chosen rows as there is memory for, after those left out have given theirs."""
        cache = self._batch.cache
        fitting = set(chosen)
        others = [row for row in candidates if row not in fitting and row.block is not None]
        beyond = [row for row in cache.rows() if row not in fitting and row not in others]

        def needed() -> int:
            return sum(cache.room_for(row) for row in {*chosen, *others, *beyond})

        while needed() > cache.limit and (beyond or others or len(chosen) > 1):
            cache.drop((beyond or others or chosen).pop())
        return chosen

    def _end_cancelled(self) -> None:
        for row in self._queue:
            if self._jobs[row].cancelled.is_set():
                row.finish = "cancelled"
        self._settle()

    def _settle(self) -> None:
        """Report requests whose rows have all finished."""
        for row in self._queue:
            if row.finish is not None:
                self._drop(row)
                for follower in row.followers:
                    follower.follows = False
                job = self._jobs.pop(row)
                if all(other not in self._queue for other in job.sequences):
                    has_failed = any(other.finish == "error" for other in job.sequences)
                    job.finished(RuntimeError("the form of the answer could not be kept") if has_failed else None)

    def _drop(self, row: Sequence) -> None:
        self._queue.remove(row)
        self._batch.cache.drop(row)

    def _fail(self, rows: list[Sequence], error: BaseException) -> None:
        """Report an error to the requests of these rows."""
        for job in {job: None for row in rows if (job := self._jobs.get(row))}:
            for row in job.sequences:
                if row in self._queue:
                    self._drop(row)
                    del self._jobs[row]
            job.finished(error)
