"""Decides which rows are held out for the test.

A row's place is drawn from the hash of its group, or else of its prompt: rows of one group or prompt are never on both
sides, and a row keeps its place in every later version of the dataset. Where rows have labels, each label's share is
held out, prompt by prompt as they come.
"""

from collections import Counter
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from corpora.ingest.batch import TEST_ROW, TRAIN_ROW, Batch, Marked
from corpora.ingest.rows import mark_hash
from corpora.ingest.seen import UNSEEN

Places = npt.NDArray[np.uint64]
Codes = npt.NDArray[np.int8]
Flags = npt.NDArray[np.bool_]

_SPREAD = np.uint64(0xBF58476D1CE4E5B9)
_SHIFT = np.uint64(31)
_CODES = {"test": TEST_ROW, "train": TRAIN_ROW}


class NamesFound(Exception):
    """Some rows name their split. The file must be read again with `named`, so that no split is drawn."""


@dataclass(frozen=True)
class Bounds:
    """The lowest and the highest place of a file."""

    lowest: int
    highest: int


@dataclass
class SplitPlan:
    """Assigns rows to splits. With `named`, only rows marked as test are held out. `bounds` keep both splits filled."""

    test_share: float
    seed: int
    named: bool = False
    bounds: Bounds | None = None
    lowest: int = (1 << 64) - 1
    highest: int = 0
    _labels: Counter[str] = field(default_factory=Counter)

    def place(self, batch: Batch, kept: Flags, earlier: Codes) -> Codes:
        """TRAIN_ROW or TEST_ROW for each row; `earlier` says where its prompt was placed in batches before.

        Rows that are not `kept` do not influence others. Raises NamesFound.
        """
        mixed = self._mix(batch.places)
        if kept.any():
            there = mixed[kept]
            self.lowest = min(self.lowest, int(there.min()))
            self.highest = max(self.highest, int(there.max()))
        codes = self._draw(mixed)
        if batch.marks is not None:
            self._mark(codes, batch.marks, batch.prompts, kept, earlier)
        elif self.follows:
            np.copyto(codes, earlier, where=earlier != UNSEEN)
        return codes

    @property
    def follows(self) -> bool:
        """Whether a row follows an earlier row with the same prompt, whatever the draw says."""
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

    def _mark(self, codes: Codes, marked: Marked, prompts: Places, kept: Flags, earlier: Codes) -> None:
        if any(marks.split for marks in marked.kinds):
            if not self.named:
                raise NamesFound
            kinds = np.array([_CODES.get(marks.split or "", UNSEEN) for marks in marked.kinds], dtype=np.int8)
            named = kinds[marked.rows]
            np.copyto(codes, named, where=named != UNSEEN)
        if self.follows:
            self._follow(codes, marked, prompts, kept, earlier)

    def _follow(self, codes: Codes, marked: Marked, prompts: Places, kept: Flags, earlier: Codes) -> None:
        """Assign each kept row without a group to the split of its prompt. Stratify new prompts by label."""
        rows = np.flatnonzero(kept)
        if not len(rows):
            return
        is_grouped = np.array([marks.group is not None for marks in marked.kinds])[marked.rows]
        _, first, copies = np.unique(prompts[rows], return_index=True, return_inverse=True)
        leads = rows[np.sort(first)]
        self._stratify(codes, marked, leads[(earlier[leads] == UNSEEN) & ~is_grouped[leads]])
        before = earlier[rows]
        # A row with a group keeps its split, and later rows with its prompt follow it.
        own = np.where((before != UNSEEN) & ~is_grouped[rows], before, codes[rows])
        placed = np.where(before != UNSEEN, before, own[first][copies])
        codes[rows] = np.where(is_grouped[rows], own, placed)

    def _stratify(self, codes: Codes, marked: Marked, rows: npt.NDArray[np.intp]) -> None:
        """Hold out a prompt of a label whenever the label's test share is too low."""
        names = dict.fromkeys(marks.label for marks in marked.kinds if marks.label is not None)
        numbers = {name: number for number, name in enumerate(names)}
        labels = np.array([numbers.get(marks.label or "", -1) for marks in marked.kinds])[marked.rows[rows]]
        order = np.argsort(labels, kind="stable")
        starts = np.searchsorted(labels[order], np.arange(len(names) + 1))
        for name, start, stop in zip(names, starts[:-1].tolist(), starts[1:].tolist(), strict=True):
            phase = int(self._mix(np.frombuffer(mark_hash(name), dtype=np.uint64))[0]) / (1 << 64)
            seen = self._labels[name] + np.arange(stop - start + 1)
            self._labels[name] += stop - start
            due = np.diff(np.floor(self.test_share * seen + phase))
            codes[rows[order[start:stop]]] = np.where(due > 0, TEST_ROW, TRAIN_ROW)

    def _mix(self, places: Places) -> Places:
        mixed = (places ^ np.uint64(self.seed * 0x9E3779B97F4A7C15 & ((1 << 64) - 1))) * _SPREAD
        return mixed ^ (mixed >> _SHIFT)
