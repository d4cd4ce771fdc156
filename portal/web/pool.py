"""Threads of one kind of work, with a limit on what waits for them."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


class Busy(Exception):
    """All threads are at work, and enough waits for them already."""


class Pool:
    """`threads` at work and at most `waiting` calls in line, within one event loop."""

    def __init__(self, name: str, *, threads: int, waiting: int) -> None:
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self._most = threads + waiting
        self._taken = 0

    async def run(self, call: Callable[[], T]) -> T:
        """What `call` returns. Raises Busy at once where it would have to wait behind too many."""
        if self._taken >= self._most:
            raise Busy
        return await self.go_on(call)

    async def go_on(self, call: Callable[[], T]) -> T:
        """Likewise for work that was begun and has to be ended, however much waits."""
        self._taken += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._executor, call)
        finally:
            self._taken -= 1
