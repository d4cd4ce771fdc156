"""Remembers which rows a file has had, on disk: memory stays flat however many there are."""

import sqlite3
from pathlib import Path
from types import TracebackType
from typing import Self

CACHE_KIB = 16 << 10


class SeenRows:
    """A set of row ids in a scratch file that is deleted at the end."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> Self:
        self._path.unlink(missing_ok=True)
        self._database = sqlite3.connect(self._path, isolation_level=None)
        self._database.execute("PRAGMA journal_mode = OFF")
        self._database.execute("PRAGMA synchronous = OFF")
        self._database.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
        self._database.execute("CREATE TABLE seen (id BLOB PRIMARY KEY) WITHOUT ROWID")
        self._database.execute("BEGIN")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._database.close()
        self._path.unlink(missing_ok=True)

    def add(self, row_id: str) -> bool:
        """Whether the row is new."""
        cursor = self._database.execute("INSERT OR IGNORE INTO seen VALUES (?)", (bytes.fromhex(row_id),))
        return cursor.rowcount == 1
