"""The engines that run: started when somebody asks, stopped when nobody does, within a budget of memory."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Literal

import aiohttp
import structlog

from portal.engines import errors
from portal.engines.catalogue import Startable
from portal.engines.child import Child

ROOM_SECONDS = 30.0
"""How long a request waits for other engines to have answered theirs, so that one of them can be stopped."""
AGAIN_SECONDS = 10.0
"""How long an engine that did not start is left alone."""
_TICK_SECONDS = 1.0

State = Literal["stopped", "starting", "running"]

log = structlog.get_logger(__name__)


class Pool:
    """Engines by name. `budget` is in bytes: together they take no more when one of them starts.

    An engine without requests for `idle_seconds` is stopped, unless an adapter is pinned on it. One that nobody asks
    at the moment also makes room for another. Everything runs in one event loop.
    """

    def __init__(
        self,
        find: Callable[[str], Startable | None],
        client: aiohttp.ClientSession,
        *,
        budget: int,
        idle_seconds: float,
    ) -> None:
        self._find = find
        self._client = client
        self._budget = budget
        self._idle_seconds = idle_seconds
        self._running: dict[str, Child] = {}
        self._starting: dict[str, asyncio.Task[Child]] = {}
        self._not_before: dict[str, float] = {}
        self._one_at_a_time = asyncio.Lock()
        self._changed = asyncio.Condition()

    def running(self, name: str) -> Child | None:
        """The engine, if it runs."""
        child = self._running.get(name)
        return child if child is not None and child.is_alive else None

    def state(self, name: str) -> State:
        if self.running(name):
            return "running"
        return "starting" if name in self._starting else "stopped"

    @asynccontextmanager
    async def use(self, name: str) -> AsyncIterator[Child]:
        """The engine, started if it doesn't run; it is not stopped before the block ends. Raises ApiError."""
        child = self.running(name) or await self._started(name)
        child.open += 1
        try:
            yield child
        finally:
            child.open -= 1
            child.used_at = time.monotonic()
            async with self._changed:
                self._changed.notify_all()

    async def watch(self) -> None:
        """Stop what nobody uses, again and again."""
        while True:
            await asyncio.sleep(_TICK_SECONDS)
            for child in list(self._running.values()):
                if not child.is_alive:
                    log.warning("engine_ended", engine=child.startable.name)
                    await self._stop(child)
                elif self._is_idle(child):
                    log.info("engine_idle", engine=child.startable.name)
                    await self._stop(child)
            # Alone, one may take more than was planned: stopping it after each request would help nobody.
            is_crowded = len(self._running) > 1 and self._bytes() > self._budget
            if is_crowded and (least := self._least_used()) is not None:
                log.info("engine_makes_room", engine=least.startable.name)
                await self._stop(least)

    async def close(self) -> None:
        """Stop all of them."""
        for task in list(self._starting.values()):
            task.cancel()
        await asyncio.gather(*(self._stop(child) for child in list(self._running.values())))

    async def _started(self, name: str) -> Child:
        task = self._starting.get(name)
        if task is None:
            task = self._starting[name] = asyncio.create_task(self._start(name))
            task.add_done_callback(lambda _task: self._starting.pop(name, None))
        # Whoever asked first may go away: others wait for the same start.
        return await asyncio.shield(task)

    async def _start(self, name: str) -> Child:
        startable = await asyncio.to_thread(self._find, name)
        if startable is None:
            raise errors.not_found(name)
        if time.monotonic() < self._not_before.get(name, 0.0):
            raise errors.did_not_start(name)
        async with self._one_at_a_time:
            await self._make_room(startable)
            child = Child(startable)
            log.info("engine_starts", engine=name)
            try:
                is_ready = await child.start(self._client)
            except OSError as error:
                log.error("engine_not_started", engine=name, why=error.strerror)
                is_ready = False
            except asyncio.CancelledError:
                await child.stop()
                raise
            if not is_ready:
                self._not_before[name] = time.monotonic() + AGAIN_SECONDS
                raise errors.did_not_start(name)
            self._running[name] = child
            return child

    async def _make_room(self, startable: Startable) -> None:
        if startable.bytes > self._budget:
            raise errors.too_large(startable.name, startable.bytes, self._budget)
        try:
            async with asyncio.timeout(ROOM_SECONDS):
                while self._bytes() + startable.bytes > self._budget:
                    if (least := self._least_used()) is not None:
                        await self._stop(least)
                        continue
                    async with self._changed:
                        await self._changed.wait_for(lambda: self._least_used() is not None)
        except TimeoutError:
            raise errors.no_room(startable.name) from None

    def _bytes(self) -> int:
        return sum(child.bytes for child in self._running.values() if child.is_alive)

    def _least_used(self) -> Child | None:
        """The one that nobody asks now and that was asked longest ago."""
        free = [child for child in self._running.values() if child.open == 0 and not child.is_pinned]
        return min(free, key=lambda child: child.used_at, default=None)

    def _is_idle(self, child: Child) -> bool:
        is_unused = child.open == 0 and time.monotonic() - child.used_at > self._idle_seconds
        return is_unused and not child.is_pinned

    async def _stop(self, child: Child) -> None:
        # Forgotten first, so that no request gets one that is about to end.
        if self._running.get(child.startable.name) is child:
            del self._running[child.startable.name]
        await child.stop()
