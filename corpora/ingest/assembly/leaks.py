"""Counts the test rows whose prompt is also a training row's: exact, in memory independent of the number of rows."""

from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
import numpy.typing as npt

from corpora.ingest.seen import UNSEEN, Keys, SeenHashes

Flags = npt.NDArray[np.bool_]

CHUNK_BYTES = 1 << 19


class LeakedTests:
    """Takes rows in the file's order.

    A test row behind the training row with its prompt is a leak when it comes. One before it is known only when the
    training row comes, so the prompts of all other test rows wait in a scratch file.
    """

    def __init__(self, scratch: Path) -> None:
        self._path = scratch / "test-prompts"
        self._waiting = self._path.open("w+b")
        self._late = SeenHashes(scratch / "seen-leaks")
        self._known = 0
        self._has_late = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._waiting.close()
        self._path.unlink(missing_ok=True)
        self._late.__exit__(kind, error, traceback)

    def add(self, prompts: Keys, tests: Flags, leaks: Flags) -> None:
        """Take kept rows: the hash of each prompt, whether it is a test row, and whether an earlier row leaks it."""
        self._known += int(np.count_nonzero(tests & leaks))
        self._waiting.write(prompts[tests & ~leaks].tobytes())
        late = prompts[leaks & ~tests]
        if len(late):
            self._has_late = True
            self._late.add(late, np.zeros(len(late), dtype=np.int8))

    def count(self) -> int:
        """The number of test rows so far whose prompt a training row has."""
        if not self._has_late:
            return self._known
        self._waiting.seek(0)
        found = 0
        while data := self._waiting.read(CHUNK_BYTES):
            found += int(np.count_nonzero(self._late.find(np.frombuffer(data, dtype=np.uint64)) != UNSEEN))
        return self._known + found
