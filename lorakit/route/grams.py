"""Texts as sparse vectors: the n-grams of their words and characters, counted in buckets by a hash."""

import re
import zlib
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

BUCKETS = 1 << 15
LONGEST_READ = 1_000
"""Characters of a text that are read: a request says early what it is about."""

GRAMS = (3, 4, 5)

_WORD = re.compile(r"\w+")

Numbers = NDArray[np.float32] | NDArray[np.float16]
Vector = tuple[NDArray[np.int64], NDArray[np.float32]]
"""Buckets, each once, and the value in each."""


def vector_of(text: str) -> Vector:
    """The square root of each bucket's count; empty for a text without words."""
    counts = Counter(zlib.crc32(gram.encode("utf-8", "replace")) % BUCKETS for gram in _grams(text))
    buckets = np.fromiter(counts.keys(), np.int64, len(counts))
    return buckets, np.sqrt(np.fromiter(counts.values(), np.float32, len(counts)))


def weights_of(vectors: list[Vector]) -> NDArray[np.float32]:
    """(BUCKETS,): how rare each bucket is among the vectors (idf)."""
    seen_in = np.zeros(BUCKETS, np.float32)
    for buckets, _values in vectors:
        seen_in[buckets] += 1
    weights: NDArray[np.float32] = np.log((1 + len(vectors)) / (1 + seen_in)).astype(np.float32)
    return weights


def weighted(vector: Vector, weights: Numbers) -> Vector:
    """Of length 1, or 0 for a text without words."""
    buckets, values = vector
    values = values * weights[buckets]
    norm = float(np.linalg.norm(values))
    return buckets, values / norm if norm else values


def _grams(text: str) -> Iterator[str]:
    words = _WORD.findall(text[:LONGEST_READ].casefold())
    yield from words
    for first, second in pairwise(words):
        yield f"{first} {second}"
    for word in words:
        padded = f"<{word}>"
        for size in GRAMS:
            for start in range(len(padded) - size + 1):
                yield padded[start : start + size]
