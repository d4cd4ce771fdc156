"""Which adapters a server holds, in a file, so that it has them again after it was killed."""

import json
import logging
from dataclasses import dataclass
from pathlib import Path

from lorakit.rundir import write_atomically

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Remembered:
    """Where an adapter was loaded from, the SHA-256 of its package in hexadecimal, and whether it is pinned."""

    path: str
    sha256: str
    is_pinned: bool = False


class Memory:
    """Adapters by name, as they are in `file`: {"adapters": {name: {"path", "sha256", "pinned"}}}, oldest first.

    A file that cannot be written costs only the memory, never a load. Not thread-safe.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._held: dict[str, Remembered] = {}

    def read(self) -> dict[str, Remembered]:
        """What the file says; nothing if it is missing or damaged."""
        try:
            adapters = json.loads(self._file.read_bytes())["adapters"]
            return {
                name: Remembered(str(entry["path"]), str(entry["sha256"]), entry.get("pinned") is True)
                for name, entry in adapters.items()
            }
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, RecursionError, KeyError, TypeError, AttributeError) as error:
            log.warning("%s is not readable, so no adapter is restored: %s", self._file, type(error).__name__)
            return {}

    def add(self, name: str, path: Path, sha256: str, *, is_pinned: bool = False) -> None:
        """Remember an adapter."""
        self._change({**self._held, name: Remembered(str(path.absolute()), sha256, is_pinned)})

    def forget(self, name: str) -> None:
        """Forget an adapter."""
        self._change({other: held for other, held in self._held.items() if other != name})

    def replace(self, held: dict[str, Remembered]) -> None:
        """Remember these and no others."""
        self._change(held)

    def _change(self, held: dict[str, Remembered]) -> None:
        self._held = held
        adapters = {
            name: {"path": entry.path, "sha256": entry.sha256, "pinned": entry.is_pinned}
            for name, entry in held.items()
        }
        try:
            write_atomically(self._file, json.dumps({"adapters": adapters}))
        except OSError as error:
            log.warning("%s was not written: %s", self._file, error.strerror)
