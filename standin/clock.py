"""The time that the stand-in goes by."""

import threading
import time
from typing import Protocol


class Clock(Protocol):
    """Unix seconds."""

    def now(self) -> float: ...


class RealClock:
    """The machine's own time."""

    def now(self) -> float:
        return time.time()


class ManualClock:
    """Begins at the real time, which logs insist on, and moves when told to."""

    def __init__(self) -> None:
        self._now = time.time()
        self._lock = threading.Lock()

    def now(self) -> float:
        with self._lock:
            return self._now

    def advance(self, seconds: float) -> None:
        with self._lock:
            self._now += seconds
