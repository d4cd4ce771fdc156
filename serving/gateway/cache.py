"""Answers kept for a second or two, so that a busy key costs the database next to nothing."""

import time
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class ShortCache(Generic[K, V]):
    """Values by key for `seconds`, at most `size` of them. None is never kept.

    The age counts from before the value was looked up, so an answer is never older than `seconds`.
    """

    def __init__(self, *, seconds: float, size: int) -> None:
        self._seconds = seconds
        self._size = size
        self._values: dict[K, tuple[float, V]] = {}

    async def get(self, key: K, look_up: Callable[[], Awaitable[V | None]]) -> V | None:
        """The kept value, or what `look_up` finds."""
        now = time.monotonic()
        kept = self._values.get(key)
        if kept is not None and now - kept[0] < self._seconds:
            return kept[1]
        value = await look_up()
        self._values.pop(key, None)
        if value is not None:
            while len(self._values) >= self._size:
                self._values.pop(next(iter(self._values)))
            self._values[key] = (now, value)
        return value
