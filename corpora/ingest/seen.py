"""Remembers which hashes a file has had: exactly, and in memory that does not grow with the file.

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

SMALLEST = 1 << 12
IN_MEMORY = 1 << 20
GROWTH = 2
FULL = 0.75
CHUNK = 1 << 16
RELEASE_AFTER = 1 << 12
"""Keys that are looked up between two releases of the scratch file's pages: as many pages at most are resident."""

_FLAG = np.uint64(1)
_SPREAD = np.uint64(0x9E3779B97F4A7C15)
UNSEEN = -1


class SeenHashes:
    """A map from hashes to a flag of one bit; the hashes' own lowest bit is not looked at."""

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

    def add(self, hashes: Keys, flags: npt.NDArray[np.int8]) -> npt.NDArray[np.int8]:
        """For each hash the flag it was first added with, earlier in `hashes` or before; `UNSEEN` the first time."""
        parts = [
            self._add(hashes[start : start + RELEASE_AFTER], flags[start : start + RELEASE_AFTER])
            for start in range(0, len(hashes), RELEASE_AFTER)
        ]
        return np.concatenate(parts) if parts else np.zeros(0, dtype=np.int8)

    def _add(self, hashes: Keys, flags: npt.NDArray[np.int8]) -> npt.NDArray[np.int8]:
        keys, first, which = np.unique(_keys(hashes), return_index=True, return_inverse=True)
        while self._count + len(keys) > FULL * len(self._slots):
            self._grow()
        known = self._insert(keys | flags[first].astype(np.uint64))
        seen = np.where(known[which] == UNSEEN, flags[first][which], known[which]).astype(np.int8)
        seen[first] = known
        self._release(len(keys))
        return seen

    def find(self, hashes: Keys) -> npt.NDArray[np.int8]:
        """For each hash its flag, or `UNSEEN`."""
        keys = _keys(hashes)
        found = np.full(len(keys), UNSEEN, dtype=np.int8)
        pending = np.arange(len(keys))
        slots = self._home(keys)
        while len(pending):
            current = self._slots[slots]
            hit = (current & ~_FLAG) == keys[pending]
            found[pending[hit]] = (current[hit] & _FLAG).astype(np.int8)
            going_on = (current != 0) & ~hit
            pending = pending[going_on]
            slots = (slots[going_on] + 1) & (len(self._slots) - 1)
        self._release(len(keys))
        return found

    def _insert(self, entries: Keys) -> npt.NDArray[np.int8]:
        """Put entries of different keys in; the flags of those that were there already."""
        known = np.full(len(entries), UNSEEN, dtype=np.int8)
        keys = entries & ~_FLAG
        pending = np.arange(len(entries))
        slots = self._home(keys)
        while len(pending):
            current = self._slots[slots]
            empty = current == 0
            # Several keys may want one empty slot: the last one written has it, the others go on.
            self._slots[slots[empty]] = entries[pending[empty]]
            current[empty] = self._slots[slots[empty]]
            settled = (current & ~_FLAG) == keys[pending]
            self._count += int(np.count_nonzero(settled & empty))
            found = settled & ~empty
            known[pending[found]] = (current[found] & _FLAG).astype(np.int8)
            pending = pending[~settled]
            slots = (slots[~settled] + 1) & (len(self._slots) - 1)
        return known

    def _home(self, keys: Keys) -> npt.NDArray[np.int64]:
        shift = np.uint64(64 - (len(self._slots).bit_length() - 1))
        return ((keys * _SPREAD) >> shift).astype(np.int64)

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
            self._slots = np.frombuffer(self._file, dtype=np.uint64)
        self._count = 0
        # Slots are in the order of the hashes, in the old table and in the new one: both are walked through once.
        for start in range(0, len(old), CHUNK):
            chunk = old[start : start + CHUNK]
            self._insert(chunk[chunk != 0])
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
    """Neither zero, which is an empty slot, nor with the bit that holds the flag."""
    return np.where(hashes <= _FLAG, np.uint64(2), hashes & ~_FLAG)


def _give_back(file: mmap.mmap | None) -> None:
    """Let go of a scratch file's pages in memory; what is in them stays in the file."""
    if file is not None:
        file.madvise(mmap.MADV_DONTNEED)
