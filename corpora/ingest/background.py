"""Hashing and writing in a second thread. Both release Python's global lock."""

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

WAITING = 3
"""Number of actions that may be pending, so that short delays on one side do not stop the other."""


class Background:
    """Runs actions one after another in a thread. `do` blocks while `WAITING` actions are pending."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(max_workers=1)
        self._doing: deque[Future[Any]] = deque()

    def do(self, action: Callable[..., Any], *values: Any) -> None:
        """Queue `action`. Raises the error of an earlier action."""
        while len(self._doing) >= WAITING:
            self._doing.popleft().result()
        self._doing.append(self._thread.submit(action, *values))

    def wait(self) -> None:
        """Wait until all actions are done. Raises the error of a failed action."""
        while self._doing:
            self._doing.popleft().result()

    def close(self) -> None:
        """End the thread, even if an action failed."""
        self._thread.shutdown()
