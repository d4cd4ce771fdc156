"""Answers kept for a second or two, so that a busy key costs the database next to nothing."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class ShortCache(Generic[K, V]):
    """Values by key for `seconds`, at most `size` of them. None is never kept.

    The age counts from before the value was looked up, so an answer is never older than `seconds`. Whoever asks while
    a look-up is under way waits for that one.
    """

    def __init__(self, *, seconds: float, size: int) -> None:
        self._seconds = seconds
        self._size = size
        self._values: dict[K, tuple[float, V]] = {}
        self._flights: dict[K, tuple[float, asyncio.Task[V | None]]] = {}

    async def get(self, key: K, look_up: Callable[[], Awaitable[V | None]]) -> V | None:
        """The kept value, or what `look_up` finds; its error goes to all who wait."""
        now = time.monotonic()
        kept = self._values.get(key)
        if kept is not None and now - kept[0] < self._seconds:
            return kept[1]
        flight = self._flights.get(key)
        if flight is None or now - flight[0] >= self._seconds:
            flight = self._flights[key] = (now, asyncio.create_task(self._look_up(key, look_up, now)))
        # One who goes away does not end it for the others.
        return await asyncio.shield(flight[1])

    async def _look_up(self, key: K, look_up: Callable[[], Awaitable[V | None]], began: float) -> V | None:
        try:
            value = await look_up()
        finally:
            if self._flights.get(key, (0.0, None))[0] == began:
                del self._flights[key]
        kept = self._values.get(key)
        if kept is not None and kept[0] > began:
            return value
        self._values.pop(key, None)
        if value is not None:
            while len(self._values) >= self._size:
                self._values.pop(next(iter(self._values)))
            self._values[key] = (began, value)
        return value
