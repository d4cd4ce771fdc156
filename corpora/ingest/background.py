"""Hashing and writing beside the thread that does the rest: both let go of Python's lock."""

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

WAITING = 3
"""Actions that may be asked for and not done yet, so that neither side waits for every hiccup of the other."""


class Background:
    """Does one thing after another in a thread; who asks for one more waits until less than `WAITING` are to do."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(max_workers=1)
        self._doing: deque[Future[Any]] = deque()

    def do(self, action: Callable[..., Any], *values: Any) -> None:
        """Begin with `action` when those before are done; raises what one of them raised."""
        while len(self._doing) >= WAITING:
            self._doing.popleft().result()
        self._doing.append(self._thread.submit(action, *values))

    def wait(self) -> None:
        """Until all is done; raises what went wrong."""
        while self._doing:
            self._doing.popleft().result()

    def close(self) -> None:
        """End the thread, whatever came of the last actions."""
        self._thread.shutdown()
