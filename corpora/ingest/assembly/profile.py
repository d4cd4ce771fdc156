"""Counts lengths, slices, labels and turns in one pass, in memory independent of the number of rows."""

from collections import Counter
from collections.abc import Iterable
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from corpora.ingest.batch import DEFAULT_SLICE, Batch
from corpora.ingest.contracts import Bin, Count, LengthProfile, Profile, Split

BINS = 24
MAX_VALUES = 1000
OTHER = "(other)"

Flags = npt.NDArray[np.bool_]


class Lengths:
    """Number of rows of each length. It is exact, since a row's bytes bound its length."""

    def __init__(self, limit: int) -> None:
        self._rows = np.zeros(limit + 1, dtype=np.uint32)
        self._count = 0
        self._total = 0

    def add(self, lengths: npt.NDArray[np.int64]) -> None:
        """Take the lengths of some rows."""
        counts = np.bincount(lengths)
        self._rows[: len(counts)] += counts.astype(np.uint32)
        self._count += len(lengths)
        self._total += int(lengths.sum())

    def summary(self) -> LengthProfile:
        """The summary. At least one row was taken."""
        lengths = np.flatnonzero(self._rows)
        reached = np.cumsum(self._rows[lengths], dtype=np.int64)
        p50, p90, p99 = (int(lengths[np.searchsorted(reached, share * self._count)]) for share in (0.5, 0.9, 0.99))
        minimum, maximum = int(lengths[0]), int(lengths[-1])
        return LengthProfile(
            mean=round(self._total / self._count, 1),
            minimum=minimum,
            p50=p50,
            p90=p90,
            p99=p99,
            maximum=maximum,
            bins=self._bins(minimum, p99, maximum),
        )

    def _bins(self, minimum: int, p99: int, maximum: int) -> tuple[Bin, ...]:
        """Bins of equal width up to the 99th percentile. The last bin takes the rest."""
        width = max(1, -(-(p99 + 1 - minimum) // BINS))
        edges = [*range(minimum, p99 + 1, width), p99 + 1]
        bins = [Bin(low=low, high=high, rows=int(self._rows[low:high].sum())) for low, high in pairwise(edges)]
        if maximum > p99:
            tail = int(self._rows[p99 + 1 : maximum + 1].sum())
            bins.append(Bin(low=p99 + 1, high=maximum + 1, rows=tail))
        return tuple(bins)


class Tally:
    """Counts by value and split; values beyond the first `MAX_VALUES` count as one."""

    def __init__(self) -> None:
        self._counts: dict[str, Counter[Split]] = {}

    def add(self, value: str, split: Split, rows: int = 1) -> None:
        """Count rows of one value."""
        if value not in self._counts and len(self._counts) >= MAX_VALUES:
            value = OTHER
        self._counts.setdefault(value, Counter())[split] += rows

    def summary(self) -> tuple[Count, ...]:
        """The most frequent first."""
        ordered = sorted(self._counts.items(), key=lambda item: (-item[1].total(), item[0]))
        return tuple(Count(name=name, train=counts["train"], test=counts["test"]) for name, counts in ordered)


class Profiler:
    """Collects the profile of rows of at most `max_characters`."""

    def __init__(self, *, max_characters: int) -> None:
        self._prompt = Lengths(max_characters)
        self._answer = Lengths(max_characters)
        self._turns = Tally()
        self._slices = Tally()
        self._labels = Tally()

    def add(self, batch: Batch, kept: Flags, tests: Flags) -> None:
        """Take the rows of a batch that are kept; `tests` says which of all are held out."""
        self._prompt.add(batch.prompt_lengths[kept])
        self._answer.add(batch.answer_lengths[kept])
        self._count(batch, "train", kept & ~tests)
        self._count(batch, "test", kept & tests)

    def _count(self, batch: Batch, split: Split, chosen: Flags) -> None:
        for turns, rows in enumerate(np.bincount(batch.turns[chosen]).tolist()):
            if rows:
                self._turns.add(str(turns), split, rows)
        if batch.marks is None:
            if chosen.any():
                self._slices.add(DEFAULT_SLICE, split, int(np.count_nonzero(chosen)))
            return
        for marks, rows in batch.marks.of(chosen):
            self._slices.add(marks.slice, split, rows)
            if marks.label is not None:
                self._labels.add(marks.label, split, rows)

    def summary(self) -> Profile:
        """The summary. At least one row was taken."""
        return Profile(
            prompt_characters=self._prompt.summary(),
            answer_characters=self._answer.summary(),
            turns=self._turns.summary(),
            slices=self._slices.summary(),
            labels=self._labels.summary(),
        )


def length_profile(lengths: Iterable[int]) -> LengthProfile | None:
    """Of a few rows' lengths; None without rows."""
    values = np.fromiter(lengths, dtype=np.int64)
    if not len(values):
        return None
    counted = Lengths(int(values.max()))
    counted.add(values)
    return counted.summary()
