"""Rows that are almost the same: MinHash over word triples, then the exact Jaccard similarity of the candidates.

Broder, "On the resemblance and containment of documents" (1997); bands as in Leskovec, Rajaraman and Ullman, "Mining
of Massive Datasets", chapter 3.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
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
"""Largest number of rows of its band that a row is compared with."""

MAX_TRIPLES = 4 << 20
"""Triples of all texts of a `NearTexts`: 16 MiB, or about 100,000 short questions."""

AT_ONCE = 32
"""Texts whose triples are hashed together: at most 7 MB, three times."""

_KEY = np.dtype((np.void, 8 * ROWS_PER_BAND))
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


def near_pairs(texts: Iterable[str], *, comes_last: Callable[[int], bool] = lambda _: False) -> list[Pair]:
    """For each text that is almost, but not quite, the same as an earlier one, the first such.

    Texts whose number `comes_last` count as later than all others. Short texts are left alone.
    """
    hashes: list[int] = []
    triples: dict[int, Triples] = {}
    for number, text in enumerate(texts):
        hashes.append(hash(text))
        own = _triples(text)
        if len(own):
            triples[number] = own
    triples = {number: triples[number] for number in sorted(triples, key=comes_last)}
    pairs: list[Pair] = []
    for number, candidates in _candidates(triples):
        others = (other for other in candidates if hashes[other] != hashes[number])
        match = next((other for other in others if _similarity(triples[number], triples[other]) >= SIMILAR), None)
        if match is not None:
            pairs.append(Pair(match, number))
    return pairs


class NearTexts:
    """Finds which of `texts` are almost, but not quite, the same as a text that is looked up.

    Memory is bounded: once the texts have MAX_TRIPLES, no more are taken. `found` says for each text whether it was.
    """

    def __init__(self, texts: Iterable[str]) -> None:
        self._hashes: list[int] = []
        self._triples: list[Triples] = []
        numbers: list[int] = []
        held = count = 0
        for text in texts:
            own = _triples(text)
            if held + len(own) > MAX_TRIPLES:
                break
            if len(own):
                self._hashes.append(hash(text))
                self._triples.append(own)
                numbers.append(count)
                held += len(own)
            count += 1
        self.found = np.zeros(count, dtype=np.bool_)
        self._numbers = np.array(numbers, dtype=np.int64)
        self._is_found = np.zeros(len(numbers), dtype=np.bool_)
        keys = _band_keys(self._triples)
        orders = np.argsort(keys, axis=0, kind="stable").T
        self._bands = [(keys[order, band], order) for band, order in enumerate(orders)]

    def look_up(self, texts: Sequence[str]) -> None:
        """Mark what is almost the same as one of these."""
        own = [(hash(text), triples) for text in texts if len(triples := _triples(text))]
        if not own or self._is_found.all():
            return
        keys = _band_keys([triples for _, triples in own])
        starts = np.stack([np.searchsorted(held, keys[:, band]) for band, (held, _) in enumerate(self._bands)])
        stops = np.stack([np.searchsorted(held, keys[:, band], "right") for band, (held, _) in enumerate(self._bands)])
        for index in np.flatnonzero((stops > starts).any(axis=0)).tolist():
            text, triples = own[index]
            for number in self._in_bands(starts[:, index], stops[:, index]).tolist():
                if text != self._hashes[number] and _similarity(triples, self._triples[number]) >= SIMILAR:
                    self._is_found[number] = True
        self.found[self._numbers] = self._is_found
        # What is found already takes no place among the first of a band.
        self._bands = [(held[~self._is_found[order]], order[~self._is_found[order]]) for held, order in self._bands]

    def _in_bands(self, starts: npt.NDArray[np.intp], stops: npt.NDArray[np.intp]) -> npt.NDArray[np.intp]:
        """The texts in these parts of the bands that are not found yet, MAX_CANDIDATES at most of each."""
        parts = []
        for (_, order), start, stop in zip(self._bands, starts.tolist(), stops.tolist(), strict=True):
            part = order[start:stop]
            parts.append(part[~self._is_found[part]][:MAX_CANDIDATES])
        return np.unique(np.concatenate(parts))


def _candidates(triples: Mapping[int, Triples]) -> Iterator[tuple[int, list[int]]]:
    """Each text that shares a band with earlier ones, and these in order: the first MAX_CANDIDATES of a band."""
    if not triples:
        return
    numbers = np.fromiter(triples, dtype=np.int64, count=len(triples))
    bands = [_Band(keys) for keys in np.split(_signatures(list(triples.values())), BANDS, axis=1)]
    for index in np.flatnonzero(np.any([band.earlier for band in bands], axis=0)).tolist():
        found = np.unique(np.concatenate([band.before(index) for band in bands]))
        yield int(numbers[index]), numbers[found].tolist()


class _Band:
    """Texts in groups of the same `keys`, a row for each; `earlier` is how many of its group come before a text."""

    def __init__(self, keys: npt.NDArray[np.uint64]) -> None:
        _, group, sizes = np.unique(
            np.ascontiguousarray(keys).view(_KEY).ravel(), return_inverse=True, return_counts=True
        )
        self._order = np.argsort(group, kind="stable")
        self._starts = (np.cumsum(sizes) - sizes)[group]
        self.earlier = np.empty_like(self._starts)
        self.earlier[self._order] = np.arange(len(group)) - self._starts[self._order]

    def before(self, index: int) -> npt.NDArray[np.intp]:
        """The first of its group that come before a text, MAX_CANDIDATES at most."""
        start = self._starts[index]
        return self._order[start : start + min(self.earlier[index], MAX_CANDIDATES)]


def _triples(text: str) -> Triples:
    """Hashes of the text's word triples, each once and in order; none for a short text."""
    words: Sequence[str] = _WORD.findall(text.lower())[:MAX_WORDS]
    if len(words) < MIN_WORDS:
        return np.zeros(0, dtype=np.uint32)
    encoded = " ".join(words).encode("utf-8", "replace").split(b" ")
    hashes = np.fromiter(map(xxh3_64_intdigest, encoded), dtype=np.uint64, count=len(words))
    mixed = (hashes[:-2] * _FIRST + hashes[1:-1]) * _SECOND + hashes[2:]
    return np.unique((mixed >> np.uint64(32)).astype(np.uint32))


def _signatures(triples: Sequence[Triples]) -> npt.NDArray[np.uint64]:
    """A row of minima for each text, of which none is empty."""
    parts = []
    for begin in range(0, len(triples), AT_ONCE):
        some = triples[begin : begin + AT_ONCE]
        starts = np.cumsum([0, *map(len, some[:-1])])
        hashed = (_FACTORS * np.concatenate(some) + _OFFSETS) % _PRIME
        parts.append(np.minimum.reduceat(hashed, starts, axis=1).T)
    return np.concatenate(parts)


def _band_keys(triples: Sequence[Triples]) -> npt.NDArray[np.uint64]:
    """A row of BANDS keys for each text: texts that share a key share a band, but for chance."""
    if not triples:
        return np.zeros((0, BANDS), dtype=np.uint64)
    parts = []
    for begin in range(0, len(triples), AT_ONCE):
        minima = _signatures(triples[begin : begin + AT_ONCE]).reshape(-1, BANDS, ROWS_PER_BAND)
        keys = minima[:, :, 0]
        for row in range(1, ROWS_PER_BAND):
            keys = (keys ^ (keys >> np.uint64(29))) * _FIRST + minima[:, :, row]
        parts.append(keys)
    return np.concatenate(parts)


def _similarity(one: Triples, other: Triples) -> float:
    """Share of the triples of both that both have."""
    shared = len(np.intersect1d(one, other, assume_unique=True))
    return shared / (len(one) + len(other) - shared)
