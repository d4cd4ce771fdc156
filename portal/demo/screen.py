"""Shows the progress of each tenant of the demo: one updating line on a terminal, plain lines elsewhere."""

import threading
import time
from typing import TextIO


class Screen:
    """Thread-safe. Plain output prints a stage when it starts and at every 10% of its progress."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._moving = out.isatty()
        self._started = time.monotonic()
        self._lock = threading.Lock()
        self._now: dict[str, str] = {}

    def tell(self, who: str, what: str, fraction: float | None = None) -> None:
        """Show the stage that `who` is in, and the fraction done (0 to 1)."""
        share = "" if fraction is None or not 0 < fraction < 1 else f" {fraction:4.0%}"
        step = what if fraction is None else f"{what} {int(fraction * 10)}"
        with self._lock:
            if self._moving:
                self._now[who] = f"{who}: {what}{share}"
                line = "   ".join(self._now.values())
                self._out.write(f"\r\033[K[{self._clock()}] {line}")
            elif self._now.get(who) != step:
                self._now[who] = step
                self._out.write(f"[{self._clock()}] {who}: {what}{share}\n")
            self._out.flush()

    def say(self, text: str) -> None:
        """Print a line that stays."""
        with self._lock:
            self._out.write(f"\r\033[K{text}\n" if self._moving else f"{text}\n")
            self._out.flush()

    def _clock(self) -> str:
        return f"{time.monotonic() - self._started:5.0f} s"
