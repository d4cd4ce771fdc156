"""Latency sketches: how many values lie in each bin, where a bin reaches one per cent to either side of its value.

The bins of DDSketch (Masson, Rim and Lee, 2019). A sketch is stored as its bins, one after the other, so sketches are
joined by joining their bytes: reading adds up what occurs more than once. `Bins` are those of many sketches at once.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

RELATIVE_ERROR = 0.01
GAMMA = (1 + RELATIVE_ERROR) / (1 - RELATIVE_ERROR)
BIN = np.dtype([("key", "<i2"), ("count", "<u4")])
"""Bin `key` holds the values above GAMMA ** (key - 1) ms, up to GAMMA ** key ms."""
SMALLEST, LARGEST = 1e-6, 1e12
ZERO = math.floor(math.log(SMALLEST, GAMMA)) - 1
"""The key of everything below SMALLEST."""
KEYS = math.ceil(math.log(LARGEST, GAMMA)) - ZERO + 1

Sketch = bytes | memoryview
Integers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Bins:
    """The bins of sketches numbered from 0: bin `key` of sketch `group` holds `count` values, at least one.

    Three arrays of the same length, sorted by group and key.
    """

    group: Integers
    key: Integers
    count: Integers

    @classmethod
    def of_values(cls, groups: npt.ArrayLike, values: npt.ArrayLike) -> Self:
        """The sketches of values in milliseconds, each with its group; negative ones count as zero."""
        numbers = np.asarray(values, np.float64)
        keys = np.ceil(np.log(np.clip(numbers, SMALLEST, LARGEST)) / math.log(GAMMA)).astype(np.int64)
        keys[numbers < SMALLEST] = ZERO
        return cls._added_up(np.asarray(groups, np.int64), keys, np.ones(len(keys), np.int64))

    @classmethod
    def of_sketches(cls, sketches: Sequence[Sketch], groups: npt.ArrayLike | None = None) -> Self:
        """The bins of stored sketches; those with the same group are one. Without `groups`, each is by itself."""
        bins = np.frombuffer(b"".join(sketches), BIN)
        lengths = [len(sketch) // BIN.itemsize for sketch in sketches]
        numbers = np.arange(len(sketches)) if groups is None else np.asarray(groups, np.int64)
        return cls._added_up(np.repeat(numbers, lengths), bins["key"].astype(np.int64), bins["count"].astype(np.int64))

    def plus(self, other: Self) -> Self:
        """Both together, group by group."""
        pairs = ((self.group, other.group), (self.key, other.key), (self.count, other.count))
        return self._added_up(*(np.concatenate(pair) for pair in pairs))

    def regrouped(self, old: Integers, new: Integers) -> Self:
        """Sketches made of these: sketch `old[i]` is a part of the new one `new[i]`, and may be a part of several."""
        first, end = np.searchsorted(self.group, old, "left"), np.searchsorted(self.group, old, "right")
        lengths = end - first
        starts = np.cumsum(lengths) - lengths
        places = np.arange(int(lengths.sum())) + np.repeat(first - starts, lengths)
        return self._added_up(np.repeat(new, lengths), self.key[places], self.count[places])

    def stored(self, groups: int) -> list[bytes]:
        """The bytes of the first `groups` sketches."""
        bins = np.empty(len(self.key), BIN)
        bins["key"], bins["count"] = self.key, self.count
        whole, ends = bins.tobytes(), np.searchsorted(self.group, np.arange(groups + 1)) * BIN.itemsize
        return [whole[start:end] for start, end in zip(ends[:-1].tolist(), ends[1:].tolist(), strict=True)]

    def sizes(self, groups: int) -> Integers:
        """How many values each of the first `groups` sketches holds."""
        return _sums(self.group, self.count, groups)

    def quantiles(self, groups: int, shares: Sequence[float]) -> list[list[float | None]]:
        """For each of the first `groups` sketches and each share (0..1) the value that this share did not exceed.

        The nearest rank, upwards: of ten values, 0.95 is the tenth. None without values.
        """
        sizes, upto = self.sizes(groups), np.cumsum(self.count)
        before = np.cumsum(sizes) - sizes
        # Rounded first, for 0.07 * 100 is a little more than 7.
        ranks = np.maximum(1, np.ceil(np.round(np.outer(sizes, shares), 6))).astype(np.int64)
        places = np.searchsorted(upto, before[:, None] + ranks)
        keys = np.append(self.key, ZERO)[places]
        # The value that is as far, in parts of itself, from one end of the bin as from the other.
        values = np.where(keys == ZERO, 0.0, 2 * GAMMA ** keys.astype(np.float64) / (GAMMA + 1))
        return [row if size else [None] * len(shares) for row, size in zip(values.tolist(), sizes, strict=True)]

    @classmethod
    def _added_up(cls, groups: Integers, keys: Integers, counts: Integers) -> Self:
        places = groups * KEYS + (keys - ZERO)
        order = np.argsort(places, kind="stable")
        places, counts = places[order], counts[order]
        first = np.flatnonzero(np.diff(places, prepend=-1))
        totals = np.add.reduceat(counts, first) if len(first) else counts
        return cls(places[first] // KEYS, places[first] % KEYS + ZERO, totals)


def sketch_of(values: Iterable[float]) -> bytes:
    """The sketch of values in milliseconds; negative ones count as zero."""
    numbers = np.fromiter(values, np.float64)
    return Bins.of_values(np.zeros(len(numbers), np.int64), numbers).stored(1)[0]


def merged(sketches: Iterable[Sketch]) -> bytes:
    """One sketch of all values in these."""
    return _as_one(sketches).stored(1)[0]


def quantiles(sketches: Iterable[Sketch], shares: Sequence[float]) -> list[float | None]:
    """As `Bins.quantiles`, of all values in these."""
    return _as_one(sketches).quantiles(1, shares)[0]


def size_of(sketches: Iterable[Sketch]) -> int:
    """How many values are in these."""
    return int(_as_one(sketches).count.sum())


def _as_one(sketches: Iterable[Sketch]) -> Bins:
    return Bins.of_sketches([b"".join(sketches)])


def _sums(groups: Integers, values: npt.NDArray[Any], count: int) -> Integers:
    sums = np.zeros(count, np.int64)
    np.add.at(sums, groups, values)
    return sums
