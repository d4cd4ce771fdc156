"""A uniform, repeatable sample of a version's rows: those with the lowest ids."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt

from corpora.ingest.assembly.index import RECORD
from corpora.ingest.contracts import Row

SAMPLED = np.dtype([("rank", "<u8"), ("test", "?"), ("record", RECORD)])


class Sample:
    """Keeps the positions of at most `size` rows."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._rows: list[npt.NDArray[np.void]] = []
        self._held = 0

    def add(self, records: npt.NDArray[np.void], is_test: bool, written: int) -> None:
        """Take rows of one split whose offsets count from `written`."""
        if not self._size:
            return
        rows = np.empty(len(records), dtype=SAMPLED)
        rows["rank"] = records["id"].copy().view(np.uint64)[::2]
        rows["test"] = is_test
        rows["record"] = records
        rows["record"]["offset"] += written
        self._rows.append(rows)
        self._held += len(rows)
        if self._held > 3 * self._size:
            self._cut()

    def _cut(self) -> None:
        rows = np.concatenate(self._rows)
        if len(rows) > self._size:
            rows = rows[np.argpartition(rows["rank"], self._size)[: self._size]]
        self._rows = [rows]
        self._held = len(rows)

    def read(self, train: Path, test: Path) -> Iterator[tuple[Row, bool, int]]:
        """Return (row, whether it is held out, its line in the customer's file), lowest ids first."""
        if not self._held:
            return
        self._cut()
        decoder = msgspec.json.Decoder(Row)
        with train.open("rb") as train_rows, test.open("rb") as test_rows:
            for _, is_test, record in np.sort(self._rows[0], order="rank").tolist():
                file = test_rows if is_test else train_rows
                _, offset, size, line = record
                file.seek(offset)
                yield decoder.decode(file.read(size)), is_test, line
