"""Reads the plain rows of blocks of JSON Lines, see `native/plain.c`."""

import ctypes
import mmap
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from corpora.ingest import native

LAYOUTS = {"chat": 0, "prompt and completion": 1, "instruction": 2}
ROOM = 4
"""Times the room that a block's rows have as canonical JSON; those beyond it are odd."""

COLUMNS = ("lines", "raw_starts", "raw_ends", "cuts", "ends", "prompt_characters", "answer_characters", "turns")
ODD_COLUMNS = ("odd_lines", "odd_starts", "odd_ends")

Column = npt.NDArray[np.int32]
Bytes = npt.NDArray[np.uint8]
Buffer = bytes | memoryview


class PlainRows(NamedTuple):
    """What `plain.c` tells of a block, see its `rows_t`."""

    text: Bytes
    lines: Column
    raw_starts: Column
    raw_ends: Column
    cuts: Column
    ends: Column
    prompt_characters: Column
    answer_characters: Column
    turns: Column
    odd_lines: Column
    odd_starts: Column
    odd_ends: Column
    line_count: int


class PlainReader:
    """Reads blocks in one layout, all into the same memory: what it returns is valid until the next is read."""

    def __init__(self, layout: str, *, max_row_bytes: int) -> None:
        self._layout = LAYOUTS[layout]
        self._max_row_bytes = max_row_bytes
        self._text: Bytes = np.empty(0, dtype=np.uint8)
        self._columns = np.empty((len(COLUMNS) + len(ODD_COLUMNS), 0), dtype=np.int32)

    def read(self, data: Buffer, text: Buffer | None = None) -> PlainRows:
        """The plain rows of whole lines, written to `text` if it is given, and where the odd ones lie."""
        raw = np.frombuffer(data, dtype=np.uint8)
        if len(raw) > 2 * self._columns.shape[1]:
            # For the largest block to come, once: what is never written to takes no memory.
            largest = 1 << len(raw).bit_length()
            self._columns = _sparse(len(self._columns) * largest // 2, np.int32).reshape(len(self._columns), -1)
            self._text = _sparse(ROOM * largest, np.uint8)
        written = self._text if text is None else np.frombuffer(text, dtype=np.uint8)
        rows = _Rows(written.ctypes.data, len(written), *(column.ctypes.data for column in self._columns))
        _read_plain_rows(raw.ctypes.data, len(raw), self._layout, self._max_row_bytes, ctypes.byref(rows))
        plain = self._columns[: len(COLUMNS), : rows.rows]
        odd = self._columns[len(COLUMNS) :, : rows.odd]
        columns = dict(zip((*COLUMNS, *ODD_COLUMNS), (*plain, *odd), strict=True))
        size = columns["ends"][-1] if rows.rows else 0
        return PlainRows(text=written[:size], line_count=rows.line_count, **columns)


def _sparse(count: int, kind: type[np.generic]) -> npt.NDArray[Any]:
    """Memory of which only what is written to is taken: numpy's own is taken two mebibytes at a time."""
    memory = mmap.mmap(-1, count * np.dtype(kind).itemsize, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    memory.madvise(mmap.MADV_NOHUGEPAGE)
    return np.frombuffer(memory, dtype=kind)


class _Rows(ctypes.Structure):
    """`rows_t`."""

    _fields_ = [
        ("text", ctypes.c_void_p),
        ("room", ctypes.c_int64),
        *((name, ctypes.c_void_p) for name in (*COLUMNS, *ODD_COLUMNS)),
        *((name, ctypes.c_int32) for name in ("rows", "odd", "line_count")),
    ]


def write_ids(text: Bytes, ends: Column, ids: npt.NDArray[np.void]) -> None:
    """Write each row's 16 bytes into its line of canonical JSON, as hexadecimal digits; row i ends at `ends[i]`."""
    ends = np.ascontiguousarray(ends)
    _write_ids(text.ctypes.data, ends.ctypes.data, len(ends), ids.ctypes.data)


_POINTER, _SIZE, _COUNT = ctypes.c_void_p, ctypes.c_int64, ctypes.c_int32

_read_plain_rows = native.library().read_plain_rows
_read_plain_rows.argtypes = [_POINTER, _SIZE, _COUNT, _SIZE, ctypes.POINTER(_Rows)]
_read_plain_rows.restype = None
_write_ids = native.library().write_ids
_write_ids.argtypes = [_POINTER, _POINTER, _COUNT, _POINTER]
_write_ids.restype = None
