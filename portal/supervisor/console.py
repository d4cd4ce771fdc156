"""Log lines of many processes: each goes to its own file and, with a coloured prefix, to the screen."""

import os
import sys
import threading
from pathlib import Path
from typing import IO, TextIO

from portal.embedded.process import open_log

_COLOURS = (36, 32, 33, 35, 34, 31)


class Console:
    """Writes whole lines from several threads; `screen=None` writes the files only."""

    def __init__(self, log_folder: Path, *, screen: TextIO | None = sys.stdout) -> None:
        self._folder = log_folder
        self._screen = screen
        self._coloured = screen is not None and screen.isatty() and "NO_COLOR" not in os.environ
        self._files: dict[str, IO[bytes]] = {}
        self._lock = threading.Lock()

    def path(self, name: str) -> Path:
        return self._folder / f"{name}.log"

    def write(self, name: str, line: str) -> None:
        """Append one line under the name of its process."""
        with self._lock:
            if name not in self._files:
                self._files[name] = open_log(self.path(name))
            self._files[name].write(line.encode(errors="replace") + b"\n")
            self._files[name].flush()
            if self._screen is not None:
                try:
                    self._screen.write(f"{self._prefix(name)} {line}\n")
                    self._screen.flush()
                except OSError:
                    # The terminal is gone; the processes' output must still be read, or they would block on it.
                    self._screen = None

    def close(self) -> None:
        with self._lock:
            for file in self._files.values():
                file.close()
            self._files.clear()

    def _prefix(self, name: str) -> str:
        label = f"{name:>9} |"
        if not self._coloured:
            return label
        colour = _COLOURS[list(self._files).index(name) % len(_COLOURS)]
        return f"\033[{colour}m{label}\033[0m"
