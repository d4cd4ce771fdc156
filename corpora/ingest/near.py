"""Rows that are almost the same: MinHash over word triples, then the exact Jaccard similarity of the candidates.

Broder, "On the resemblance and containment of documents" (1997); bands as in Leskovec, Rajaraman and Ullman, "Mining
of Massive Datasets", chapter 3.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from xxhash import xxh3_64_intdigest

Triples = npt.NDArray[np.uint32]

BANDS, ROWS_PER_BAND = 16, 4
SIMILAR = 0.8
MIN_WORDS = 8
MAX_WORDS = 400
MAX_CANDIDATES = 50
"""With how many others of its band a row is compared at most."""

_PRIME = np.uint64((1 << 61) - 1)
_random = np.random.default_rng(20_240_501)
_FACTORS = _random.integers(1, 1 << 31, size=(BANDS * ROWS_PER_BAND, 1), dtype=np.uint64)
_OFFSETS = _random.integers(0, 1 << 61, size=(BANDS * ROWS_PER_BAND, 1), dtype=np.uint64)
_FIRST, _SECOND = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xC2B2AE3D27D4EB4F)
_WORD = re.compile(r"\w+")


@dataclass(frozen=True)
class Pair:
    """Texts number `earlier` and `later` are almost the same."""

    earlier: int
    later: int


def near_pairs(texts: Iterable[str]) -> list[Pair]:
    """For each text that is almost, but not quite, the same as an earlier one, the first such.

    Short texts are left alone.
    """
    triples: list[Triples] = []
    hashes: list[int] = []
    bands: list[defaultdict[bytes, list[int]]] = [defaultdict(list) for _ in range(BANDS)]
    pairs: list[Pair] = []
    for number, text in enumerate(texts):
        own = _triples(text)
        triples.append(own)
        hashes.append(hash(text))
        if not len(own):
            continue
        signature = _signature(own)
        candidates: set[int] = set()
        for band, found in enumerate(bands):
            key = signature[band * ROWS_PER_BAND : (band + 1) * ROWS_PER_BAND].tobytes()
            candidates.update(found[key][:MAX_CANDIDATES])
            found[key].append(number)
        others = (other for other in sorted(candidates) if hashes[other] != hashes[number])
        match = next((other for other in others if _similarity(own, triples[other]) >= SIMILAR), None)
        if match is not None:
            pairs.append(Pair(match, number))
    return pairs


def _triples(text: str) -> Triples:
    """Hashes of the text's word triples, each once and in order; none for a short text."""
    words: Sequence[str] = _WORD.findall(text.lower())[:MAX_WORDS]
    if len(words) < MIN_WORDS:
        return np.zeros(0, dtype=np.uint32)
    encoded = " ".join(words).encode("utf-8", "replace").split(b" ")
    hashes = np.fromiter(map(xxh3_64_intdigest, encoded), dtype=np.uint64, count=len(words))
    mixed = (hashes[:-2] * _FIRST + hashes[1:-1]) * _SECOND + hashes[2:]
    return np.unique((mixed >> np.uint64(32)).astype(np.uint32))


def _signature(triples: Triples) -> npt.NDArray[np.uint64]:
    signature: npt.NDArray[np.uint64] = ((_FACTORS * triples + _OFFSETS) % _PRIME).min(axis=1)
    return signature


def _similarity(one: Triples, other: Triples) -> float:
    """Share of the triples of both that both have."""
    shared = len(np.intersect1d(one, other, assume_unique=True))
    return shared / (len(one) + len(other) - shared)
