"""Finds the test rows of a version that are much like a training row, among all of its rows."""

from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt

from corpora.ingest.assembly.index import RECORD
from corpora.ingest.contracts import INDEX, TEST, TRAIN, Row
from corpora.ingest.texts.near import NearTexts

AT_ONCE = 2_000
"""Training rows that are looked up together."""


def near_leaks(folder: Path, *, train_rows: int, tick: Callable[[float], None]) -> npt.NDArray[np.int64]:
    """The lines in the customer's file of the test rows in `folder` that are much like a training row.

    Time grows with the number of rows and memory does not: see `NearTexts` for how many test rows are compared. `tick`
    is called often, with the completed share.
    """
    tests = NearTexts(map(question, _rows(folder / TEST)))
    questions, done = map(question, _rows(folder / TRAIN)), 0
    while part := list(islice(questions, AT_ONCE)):
        tests.look_up(part)
        done += len(part)
        tick(done / train_rows)
    index = np.fromfile(folder / INDEX, dtype=RECORD, offset=train_rows * RECORD.itemsize, count=len(tests.found))
    lines: npt.NDArray[np.int64] = index["line"][tests.found].astype(np.int64)
    return lines


def question(row: Row) -> str:
    """What of a row is compared: what the user says before the answer."""
    return "\n".join(turn.content for turn in row.messages[:-1] if turn.role == "user")


def _rows(path: Path) -> Iterator[Row]:
    decode = msgspec.json.Decoder(Row).decode
    with path.open("rb") as file:
        for line in file:
            yield decode(line)
