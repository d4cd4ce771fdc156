"""Latency sketches: how many values lie in each bin, where a bin reaches one per cent to either side of its value.

The bins of DDSketch (Masson, Rim and Lee, 2019). A sketch is stored as its bins, one after the other, so sketches are
joined by joining their bytes: reading adds up what occurs more than once.
"""

import math
from collections.abc import Iterable, Sequence

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

Counts = npt.NDArray[np.int64]
"""How many values lie in each of all `KEYS` bins, the one of `ZERO` first."""


def sketch_of(values: Iterable[float]) -> bytes:
    """The sketch of latencies in milliseconds; negative ones count as zero."""
    numbers = np.fromiter(values, np.float64)
    keys = np.ceil(np.log(np.clip(numbers, SMALLEST, LARGEST)) / math.log(GAMMA)).astype(np.int64)
    return stored(np.bincount(np.where(numbers < SMALLEST, 0, keys - ZERO), minlength=KEYS))


def stored(counts: Counts) -> bytes:
    """The bytes of a sketch: its bins that are not empty."""
    places = np.flatnonzero(counts)
    bins = np.empty(len(places), BIN)
    bins["key"], bins["count"] = places + ZERO, counts[places]
    return bins.tobytes()


def counts_of(sketch: bytes | memoryview) -> Counts:
    """The counts of a sketch, or of several joined."""
    bins = np.frombuffer(sketch, BIN)
    return np.bincount(bins["key"].astype(np.int64) - ZERO, bins["count"], KEYS).astype(np.int64)


def merged(sketches: Iterable[bytes | memoryview]) -> bytes:
    """One sketch of all values in these."""
    return stored(counts_of(b"".join(sketches)))


def quantiles(sketch: bytes | memoryview, shares: Sequence[float]) -> list[float | None]:
    """For each share (0..1) the latency that this share of the values did not exceed; None without values.

    The nearest rank, upwards: of ten values, 0.95 is the tenth.
    """
    ends = np.cumsum(counts_of(sketch))
    total = int(ends[-1])
    if not total:
        return [None] * len(shares)
    # Rounded first, for 0.07 * 100 is a little more than 7.
    ranks = [max(1, math.ceil(round(share * total, 6))) for share in shares]
    return [_value(int(place)) for place in np.searchsorted(ends, ranks)]


def _value(place: int) -> float:
    """The value that is as far, in parts of itself, from one end of the bin as from the other."""
    return 2 * GAMMA ** (place + ZERO) / (GAMMA + 1) if place else 0.0
