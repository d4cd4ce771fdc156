"""Log lines of many processes: each goes to its own file and, with a coloured prefix, to the screen.

Writing never raises: whoever writes also keeps the site's processes, which die with the thread that started them.
"""

import errno
import os
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TextIO

from portal.embedded.process import LOG_LIMIT_BYTES, open_log

_COLOURS = (36, 32, 33, 35, 34, 31)
_NO_ROOM = {errno.ENOSPC, errno.EDQUOT}


@dataclass
class _Log:
    """One file, and how many lines it has lost since the last one that was written."""

    path: Path
    file: IO[bytes] | None = None
    lost: int = 0

    def write(self, line: bytes) -> None:
        try:
            file = self.file = self.file or open_log(self.path)
            if self.lost:
                # The line that was lost first may have left its beginning.
                _write_whole(file, f"\n{self.lost} lines could not be written here\n".encode())
                self.lost = 0
            _write_whole(file, line + b"\n")
            if file.tell() > LOG_LIMIT_BYTES:
                self.close()
        except OSError:
            self.lost += 1

    def close(self) -> None:
        if self.file is not None:
            file, self.file = self.file, None
            file.close()


class Console:
    """Writes whole lines from several threads; `screen=None` writes the files only."""

    def __init__(self, log_folder: Path, *, screen: TextIO | None = sys.stdout) -> None:
        self.folder = log_folder
        self._screen = screen
        self._coloured = screen is not None and screen.isatty() and "NO_COLOR" not in os.environ
        self._logs: dict[str, _Log] = {}
        self._lock = threading.Lock()

    def path(self, name: str) -> Path:
        return self.folder / f"{name}.log"

    def write(self, name: str, line: str) -> None:
        """Append one line under the name of its process."""
        with self._lock:
            log = self._logs.setdefault(name, _Log(self.path(name)))
            log.write(line.encode(errors="replace"))
            if self._screen is not None:
                try:
                    self._screen.write(f"{self._prefix(name)} {line}\n")
                    self._screen.flush()
                except OSError as error:
                    # A terminal that is gone stays gone; a file on a full disk takes lines again.
                    if error.errno not in _NO_ROOM:
                        self._screen = None

    def close(self) -> None:
        with self._lock:
            for log in self._logs.values():
                log.close()
            self._logs.clear()

    def _prefix(self, name: str) -> str:
        label = f"{name:>9} |"
        if not self._coloured:
            return label
        colour = _COLOURS[list(self._logs).index(name) % len(_COLOURS)]
        return f"\033[{colour}m{label}\033[0m"


def _write_whole(file: IO[bytes], data: bytes) -> None:
    while data:
        data = data[file.write(data) :]
