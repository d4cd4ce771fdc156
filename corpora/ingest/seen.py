"""Remembers which hashes a file has had: exactly, and in memory that does not grow with the file.

An open-addressing table of 64-bit keys (see `native/seen.c`). While it is small it lies in memory; from `IN_MEMORY`
slots on in a scratch file, whose pages are given back again and again. Two different rows share a key once in 2**64
pairs: in a file of a million rows the odds that one is taken for another are 1 to 37 million.
"""

import ctypes
import mmap
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
import numpy.typing as npt

from corpora.ingest import native

Keys = npt.NDArray[np.uint64]
Flags = npt.NDArray[np.int8]

SMALLEST = 1 << 12
IN_MEMORY = 1 << 20
GROWTH = 2
FULL = 0.75
CHUNK = 1 << 16
RELEASE_AFTER = 1 << 11
"""Keys that are looked up between two releases of the scratch file's pages; twice as many pages may be resident."""

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

    def add(self, hashes: Keys, flags: Flags) -> Flags:
        """For each hash the flag it was first added with, earlier in `hashes` or before; `UNSEEN` the first time."""
        hashes, flags = np.ascontiguousarray(hashes), np.ascontiguousarray(flags)
        earlier = np.empty(len(hashes), dtype=np.int8)
        for start in range(0, len(hashes), RELEASE_AFTER):
            count = min(RELEASE_AFTER, len(hashes) - start)
            while self._count + count > FULL * len(self._slots):
                self._grow()
            self._count += _add_hashes(
                self._slots.ctypes.data, self._bits, hashes.ctypes.data + 8 * start, flags.ctypes.data + start, count,
                earlier.ctypes.data + start,
            )  # fmt: skip
            self._release(count)
        return earlier

    def find(self, hashes: Keys) -> Flags:
        """For each hash its flag, or `UNSEEN`."""
        hashes = np.ascontiguousarray(hashes)
        earlier = np.empty(len(hashes), dtype=np.int8)
        _find_hashes(self._slots.ctypes.data, self._bits, hashes.ctypes.data, len(hashes), earlier.ctypes.data)
        self._release(len(hashes))
        return earlier

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
            count = min(CHUNK, len(old) - start)
            _move_slots(old.ctypes.data + 8 * start, count, self._slots.ctypes.data, self._bits)
            _give_back(old_file)
            _give_back(self._file)

    def _release(self, looked_up: int) -> None:
        self._looked_up += looked_up
        if self._looked_up > RELEASE_AFTER:
            _give_back(self._file)
            self._looked_up = 0

    def _paths(self) -> tuple[Path, Path]:
        return self._scratch.with_suffix(".0"), self._scratch.with_suffix(".1")


def _give_back(file: mmap.mmap | None) -> None:
    """Let go of a scratch file's pages in memory; what is in them stays in the file."""
    if file is not None:
        file.madvise(mmap.MADV_DONTNEED)


_POINTER, _COUNT, _BITS = ctypes.c_void_p, ctypes.c_int64, ctypes.c_int32

_add_hashes = native.library().add_hashes
_add_hashes.argtypes = [_POINTER, _BITS, _POINTER, _POINTER, _COUNT, _POINTER]
_add_hashes.restype = ctypes.c_int64
_find_hashes = native.library().find_hashes
_find_hashes.argtypes = [_POINTER, _BITS, _POINTER, _COUNT, _POINTER]
_find_hashes.restype = None
_move_slots = native.library().move_slots
_move_slots.argtypes = [_POINTER, _COUNT, _POINTER, _BITS]
_move_slots.restype = None
