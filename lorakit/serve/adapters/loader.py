"""Puts adapters into slots from a thread of its own, so that no request waits for another's adapter."""

import time
from collections.abc import Callable, Iterable, Set
from concurrent.futures import Future, ThreadPoolExecutor

from lorakit.serve.adapters.pool import SlotPool, StoredAdapter


class Loader:
    """Loads adapters that requests ask for. Everything but the loading happens in the thread that runs the model.

    `woken` is called from the loading thread when an adapter is there, or could not be loaded, and `timed` with the
    seconds that loading one took.
    """

    def __init__(self, pool: SlotPool, woken: Callable[[], None], timed: Callable[[float], None]) -> None:
        self._pool = pool
        self._woken = woken
        self._timed = timed
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="loader")
        self._loading: dict[str, tuple[StoredAdapter, int, Future[None]]] = {}
        self._failed: dict[str, BaseException] = {}

    def close(self) -> None:
        """End the thread."""
        self._thread.shutdown(wait=True)

    @property
    def has_news(self) -> bool:
        """Whether `collect` would find something."""
        return any(future.done() for _, _, future in self._loading.values())

    def collect(self) -> None:
        """Let requests use what has been loaded."""
        for sha256, (adapter, slot, future) in [*self._loading.items()]:
            if future.done():
                del self._loading[sha256]
                error = future.exception()
                if error is None:
                    self._pool.settle(adapter, slot)
                else:
                    self._pool.give_up(slot)
                    self._failed[sha256] = error

    def wanted(self, adapters: Iterable[StoredAdapter | None]) -> Set[str]:
        """Hashes of the first adapters of these that have room in the slots together."""
        hashes: dict[str, None] = {}
        for adapter in adapters:
            if len(hashes) == self._pool.slots:
                break
            if adapter is not None:
                hashes[adapter.sha256] = None
        return hashes.keys()

    def slot_of(self, adapter: StoredAdapter | None, wanted: Set[str]) -> int | None:
        """The adapter's slot if it is there; else None, and it is loaded if it is wanted and a slot can be had.

        Only an adapter that is not wanted makes room. Raises what loading it raised, once.
        """
        slot = self._pool.slot_of(adapter)
        if slot is not None or adapter is None:
            return slot
        sha256 = adapter.sha256
        if sha256 in self._failed:
            raise self._failed.pop(sha256)
        if sha256 in wanted and sha256 not in self._loading:
            room = self._pool.vacate(wanted)
            if room is not None:
                future = self._thread.submit(self._fill, room, adapter)
                self._loading[sha256] = adapter, room, future
                future.add_done_callback(lambda _: self._woken())
        return None

    def _fill(self, slot: int, adapter: StoredAdapter) -> None:
        started = time.perf_counter()
        self._pool.fill(slot, adapter)
        self._timed(time.perf_counter() - started)
