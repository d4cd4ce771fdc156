"""Decides which rows are held out for the test.

A row's place is drawn from the hash of its group, or else of its prompt: rows of one group or prompt are never on both
sides, and a row keeps its place in every later version of the dataset. Where rows have labels, each label's share is
held out, prompt by prompt as they come.
"""

from collections import Counter
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from corpora.ingest.batch import TEST_ROW, TRAIN_ROW, Batch, Marks
from corpora.ingest.rows import mark_hash
from corpora.ingest.seen import UNSEEN

Places = npt.NDArray[np.uint64]
Codes = npt.NDArray[np.int8]
Flags = npt.NDArray[np.bool_]

_SPREAD = np.uint64(0xBF58476D1CE4E5B9)
_SHIFT = np.uint64(31)


class NamesFound(Exception):
    """Some rows name their split, so none is drawn: the file has to be read again, with `named`."""


@dataclass(frozen=True)
class Bounds:
    """The lowest and the highest place of a file."""

    lowest: int
    highest: int


@dataclass
class SplitPlan:
    """Places rows as they come. `named`: only rows that say so are held out. `bounds` makes sure of both splits."""

    test_share: float
    seed: int
    named: bool = False
    bounds: Bounds | None = None
    lowest: int = (1 << 64) - 1
    highest: int = 0
    _labels: Counter[str] = field(default_factory=Counter)

    def place(self, batch: Batch, kept: Flags, earlier: Codes) -> Codes:
        """TRAIN_ROW or TEST_ROW for each row; `earlier` says where its prompt was placed in batches before.

        Rows that are not `kept` move no other. Raises NamesFound.
        """
        mixed = self._mix(batch.places)
        if kept.any():
            there = mixed[kept]
            self.lowest = min(self.lowest, int(there.min()))
            self.highest = max(self.highest, int(there.max()))
        codes = self._draw(mixed)
        if batch.marks is not None:
            self._mark(codes, batch.marks, batch.prompts, kept, earlier)
        elif self._follows:
            np.copyto(codes, earlier, where=earlier != UNSEEN)
        return codes

    @property
    def _follows(self) -> bool:
        """Whether a row goes where its prompt is already, though it might be drawn elsewhere."""
        return not self.named and self.bounds is None

    def _draw(self, mixed: Places) -> Codes:
        if self.named or self.test_share <= 0:
            return np.zeros(len(mixed), dtype=np.int8)
        limit = min((1 << 64) - 1, int(self.test_share * (1 << 64)))
        codes = (mixed < np.uint64(limit)).astype(np.int8)
        if self.bounds and self.bounds.lowest < self.bounds.highest:
            codes[mixed == np.uint64(self.bounds.highest)] = TRAIN_ROW
            codes[mixed == np.uint64(self.bounds.lowest)] = TEST_ROW
        return codes

    def _mark(self, codes: Codes, marks: list[Marks], prompts: Places, kept: Flags, earlier: Codes) -> None:
        placed: dict[int, int] = {}
        rows = zip(marks, prompts.tolist(), kept.tolist(), earlier.tolist(), strict=True)
        for index, (row, prompt, is_kept, before) in enumerate(rows):
            if row.split is not None:
                if not self.named:
                    raise NamesFound
                codes[index] = TEST_ROW if row.split == "test" else TRAIN_ROW
            if not is_kept:
                continue
            if row.split is None and row.group is None and self._follows:
                place = placed.get(prompt, UNSEEN) if before == UNSEEN else before
                if place != UNSEEN:
                    codes[index] = place
                elif row.label is not None:
                    codes[index] = self._stratify(row.label)
            placed.setdefault(prompt, int(codes[index]))

    def _stratify(self, label: str) -> int:
        """Hold out a prompt whenever the label's share of the test has fallen behind."""
        phase = int(self._mix(np.frombuffer(mark_hash(label), dtype=np.uint64))[0]) / (1 << 64)
        seen = self._labels[label]
        self._labels[label] += 1
        due = int(self.test_share * (seen + 1) + phase) - int(self.test_share * seen + phase)
        return TEST_ROW if due else TRAIN_ROW

    def _mix(self, places: Places) -> Places:
        mixed = (places ^ np.uint64(self.seed * 0x9E3779B97F4A7C15 & ((1 << 64) - 1))) * _SPREAD
        return mixed ^ (mixed >> _SHIFT)
