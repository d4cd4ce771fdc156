"""Hashing and writing beside the thread that does the rest: both let go of Python's lock."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any


class Background:
    """Does one thing after another in a thread; who asks for the next waits for the one before."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(max_workers=1)
        self._doing: Future[Any] | None = None

    def do(self, action: Callable[..., Any], *values: Any) -> None:
        """Begin with `action`; raises what the one before raised."""
        self.wait()
        self._doing = self._thread.submit(action, *values)

    def wait(self) -> None:
        """Until all is done; raises what went wrong."""
        doing, self._doing = self._doing, None
        if doing is not None:
            doing.result()

    def close(self) -> None:
        """End the thread, whatever came of the last action."""
        self._thread.shutdown()
