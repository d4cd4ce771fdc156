"""A set of the hashes seen in a file: exact, and in memory independent of the file's size.

An open-addressing table of 64-bit keys. While it is small it lies in memory; from `IN_MEMORY` slots on in a scratch
file, whose pages are given back again and again. Two different rows share a key once in 2**64 pairs: in a file of a
million rows the odds that one is taken for another are 1 to 37 million.
"""

import mmap
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
import numpy.typing as npt

Keys = npt.NDArray[np.uint64]
Flags = npt.NDArray[np.int8]

SMALLEST = 1 << 12
IN_MEMORY = 1 << 20
GROWTH = 2
FULL = 0.5
CHUNK = 1 << 14
RELEASE_AFTER = 1 << 11
"""Keys that are looked up between two releases of the scratch file's pages; twice as many pages may be resident."""

UNSEEN = -1

_FLAG = np.uint64(1)
_KEY = ~_FLAG
_EMPTY = np.uint64(0)
_LEAST = np.uint64(2)
_IN_PAGE = np.uint64(511)


class SeenHashes:
    """A map from hashes to a flag of one bit; the hashes' own lowest bit is not looked at.

    A slot holds a key, a hash without its lowest bit, and in that bit the flag; an empty one holds zero. Hashes are
    evenly spread, so slots are in their order.
    """

    def __init__(self, scratch: Path) -> None:
        self._scratch = scratch
        self._file: mmap.mmap | None = None
        self._slots: Keys = np.zeros(SMALLEST, dtype=np.uint64)
        self._count = 0
        self._looked_up = 0
        self._growths = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._slots = np.zeros(0, dtype=np.uint64)
        for path in self._paths():
            path.unlink(missing_ok=True)

    def add(self, hashes: Keys, flags: Flags) -> Flags:
        """For each hash the flag it was first added with, earlier in `hashes` or before; `UNSEEN` the first time."""
        earlier = np.empty(len(hashes), dtype=np.int8)
        for start in range(0, len(hashes), RELEASE_AFTER):
            part = slice(start, start + RELEASE_AFTER)
            earlier[part] = self._add(_keys(hashes[part]), flags[part])
        return earlier

    def _add(self, keys: Keys, flags: Flags) -> Flags:
        while self._count + len(keys) > FULL * len(self._slots):
            self._grow()
        earlier = np.empty(len(keys), dtype=np.int8)
        order = np.argsort(keys)
        ordered = keys[order]
        if (ordered[1:] != ordered[:-1]).all():
            earlier[order] = known = self._look_up(ordered, ordered | flags[order].astype(np.uint64))
        else:
            ordered, first, copies = np.unique(keys, return_index=True, return_inverse=True)
            own = flags[first]
            known = self._look_up(ordered, ordered | own.astype(np.uint64))
            # The later ones of a hash find what the first has left.
            earlier = np.where(known == UNSEEN, own, known)[copies]
            earlier[first] = known
        self._count += int(np.count_nonzero(known == UNSEEN))
        self._release(len(keys))
        return earlier

    def find(self, hashes: Keys) -> Flags:
        """The flag of each hash, or `UNSEEN`."""
        known = self._look_up(_keys(hashes))
        self._release(len(hashes))
        return known

    def _look_up(self, keys: Keys, entries: Keys | None = None) -> Flags:
        """The flag of each key, or UNSEEN; where `entries` are given, those of unseen keys are put in.

        Keys that are put in are all different.
        """
        known = np.full(len(keys), UNSEEN, dtype=np.int8)
        places = self._usable(keys >> np.uint64(64 - self._bits))
        if self._file is not None:
            # Written to before it is read: of a file that is read, the system maps sixteen pages around the one.
            self._slots[places & ~_IN_PAGE] = _EMPTY
        left = np.arange(len(keys))
        while len(left):
            there = self._slots[places]
            is_empty = there == _EMPTY
            if entries is not None and is_empty.any():
                self._slots[places[is_empty]] = entries[left[is_empty]]
                # Of several that want one slot, one has got it.
                is_empty &= self._slots[places] == entries[left]
            found = (there & _KEY) == keys[left]
            known[left[found]] = (there[found] & _FLAG).astype(np.int8)
            more = ~(found | is_empty)
            left, places = left[more], self._usable(places[more] + _FLAG & np.uint64(len(self._slots) - 1))
        return known

    def _usable(self, places: Keys) -> Keys:
        """The first slot of each page stays free, to be written to."""
        usable: Keys = places + ((places & _IN_PAGE) == _EMPTY).astype(np.uint64)
        return usable

    @property
    def _bits(self) -> int:
        return len(self._slots).bit_length() - 1

    def _grow(self) -> None:
        old, old_file = self._slots, self._file
        self._growths += 1
        size = len(old) * GROWTH
        if size <= IN_MEMORY:
            self._slots = np.zeros(size, dtype=np.uint64)
        else:
            path = self._paths()[self._growths % 2]
            with path.open("w+b") as file:
                file.truncate(8 * size)
                self._file = mmap.mmap(file.fileno(), 8 * size)
            # Or the system maps many pages for the one that is asked for.
            self._file.madvise(mmap.MADV_RANDOM)
            self._slots = np.frombuffer(self._file, dtype=np.uint64)
        # Slots are in the order of the hashes, in the old table and in the new one: both are walked through once.
        for start in range(0, len(old), CHUNK):
            entries = old[start : start + CHUNK]
            entries = entries[entries != _EMPTY]
            self._look_up(entries & _KEY, entries)
            _give_back(old_file)
            _give_back(self._file)

    def _release(self, looked_up: int) -> None:
        self._looked_up += looked_up
        if self._looked_up > RELEASE_AFTER:
            _give_back(self._file)
            self._looked_up = 0

    def _paths(self) -> tuple[Path, Path]:
        return self._scratch.with_suffix(".0"), self._scratch.with_suffix(".1")


def _keys(hashes: Keys) -> Keys:
    """Hashes without the flag's bit, and never zero."""
    keys: Keys = np.maximum(hashes & _KEY, _LEAST)
    return keys


def _give_back(file: mmap.mmap | None) -> None:
    """Release a scratch file's pages from memory. The file keeps its content."""
    if file is not None:
        file.madvise(mmap.MADV_DONTNEED)
