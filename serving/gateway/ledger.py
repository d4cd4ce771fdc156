"""The usage ledger: one line for each request, on disk before its answer ends.

Every process appends to a file of its own, which it keeps locked for as long as it may write there: a collector that
gets the lock knows that nothing more will come. Records never hold prompts or answers.
"""

import datetime as dt
import errno
import fcntl
import itertools
import os
import secrets
import threading
from collections.abc import Sequence
from pathlib import Path

from lorakit.contracts import InvocationRecord
from lorakit.disk import is_full

SUFFIX = ".jsonl"


class Ledger:
    """Appends records; safe to use from several threads. A new file begins each day (UTC)."""

    def __init__(self, folder: Path, *, writer: str) -> None:
        self._folder = folder
        self._writer = writer
        self._lock = threading.Lock()
        self._descriptor = -1
        self._day: dt.date | None = None
        self._owner = 0
        self._torn = False

    def append(self, record: InvocationRecord) -> None:
        """Write one line and wait until it is on disk; raises OSError when it cannot be."""
        if not self.append_all([record]):
            raise no_room()

    def append_all(self, records: Sequence[InvocationRecord]) -> int:
        """Write a line for each, with one flush, and wait until they are on disk.

        Returns how many are: the first ones, when the disk becomes full. Raises OSError when it cannot be known.
        """
        lines = [(record.to_json() + "\n").encode() for record in records]
        with self._lock:
            self._open_for(dt.datetime.now(dt.UTC).date())
            # What a full disk cut off stays a broken line of its own, which the collector skips and counts.
            mending = b"\n" if self._torn else b""
            whole = mending + b"".join(lines)
            self._torn = True
            written = os.write(self._descriptor, whole)
            os.fsync(self._descriptor)
            self._torn = written != len(whole)
        ends = itertools.accumulate(map(len, lines), initial=len(mending))
        return max(0, sum(end <= written for end in ends) - 1)

    def has_room(self) -> bool:
        """Whether the disk takes another record, as far as can be said before it is written."""
        return not is_full(self._folder)

    def close(self) -> None:
        """Let go of the file; a later append begins another."""
        with self._lock:
            self._close()

    def _open_for(self, day: dt.date) -> None:
        # A child that was forked holds its parent's file and lock: the process id tells them apart.
        if self._day == day and self._owner == os.getpid():
            return
        self._close()
        self._folder.mkdir(parents=True, exist_ok=True)
        stamp = dt.datetime.now(dt.UTC).strftime("%Y%m%dT%H%M%S")
        name = f"{self._writer}-{stamp}-{os.getpid()}-{secrets.token_hex(4)}{SUFFIX}"
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC
        self._descriptor = os.open(self._folder / name, flags, 0o600)
        fcntl.flock(self._descriptor, fcntl.LOCK_EX)
        self._day, self._owner, self._torn = day, os.getpid(), False

    def _close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
        self._descriptor, self._day = -1, None


def no_room() -> OSError:
    """The error of a disk that took a part of what was written."""
    return OSError(errno.ENOSPC, "the ledger's disk is full")


def is_finished(path: Path) -> bool:
    """Whether no process can still append to a ledger file."""
    with path.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
