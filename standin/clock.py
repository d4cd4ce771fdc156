"""The stand-in's clocks."""

import threading
import time
from typing import Protocol


class Clock(Protocol):
    """Returns Unix seconds."""

    def now(self) -> float: ...


class RealClock:
    """The machine's time."""

    def now(self) -> float:
        return time.time()


class ManualClock:
    """A clock for tests: starts at the real time, which logs require, and moves only on request."""

    def __init__(self) -> None:
        self._now = time.time()
        self._lock = threading.Lock()

    def now(self) -> float:
        with self._lock:
            return self._now

    def advance(self, seconds: float) -> None:
        with self._lock:
            self._now += seconds
