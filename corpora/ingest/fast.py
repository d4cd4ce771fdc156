"""The usual file, read by the block: rows that are plain and hold nothing to look at are never touched one by one."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from xxhash import xxh3_64_digest, xxh3_128_digest

from corpora.ingest.batch import ROW_ID, Batch, stretches
from corpora.ingest.personal import Suspects
from corpora.ingest.plain import LAYOUTS, Buffer, PlainReader, PlainRows, write_ids

MESSAGES_START = len(b'{"id":"","slice":"all","label":null,"messages":') + 2 * ROW_ID.itemsize
MESSAGES_STOP = -len(b"}\n")


class OddLine(NamedTuple):
    """A line that has to be read by itself; `number` counts from 1."""

    number: int
    line: bytes


class FastBlocks:
    """Reads blocks of whole lines of JSON Lines in one layout.

    Rows whose conversation takes more than `longest` bytes of JSON are odd, as their tokens must be counted.
    """

    def __init__(self, layout: str, *, longest: int, suspects: Suspects, max_row_bytes: int) -> None:
        self._plain = PlainReader(layout, max_row_bytes=max_row_bytes)
        self._longest = longest
        self._suspects = suspects

    @staticmethod
    def reads(layout: str) -> bool:
        """Whether there is a short way for files of this layout."""
        return layout in LAYOUTS

    def read(self, data: Buffer, text: Buffer | None = None) -> tuple[Batch, list[OddLine]]:
        """The rows that need no closer look, valid until the next block is read, and the lines of all others.

        Their text is written to `text` if it is given and all of them are plain.
        """
        rows = self._plain.read(data, text)
        starts = np.concatenate(([0], rows.ends[:-1]))[: len(rows.ends)]
        looked = rows.ends - starts - MESSAGES_START + MESSAGES_STOP > self._longest
        hits = self._suspects.scan(rows.text)
        if hits:
            looked[np.searchsorted(rows.ends, hits)] = True
        odd = _lines(data, rows.odd_lines, rows.odd_starts, rows.odd_ends)
        if not looked.any():
            return _batch(rows, starts), odd
        odd += _lines(data, rows.lines[looked], rows.raw_starts[looked], rows.raw_ends[looked])
        return _batch(*_chosen(rows, starts, ~looked)), sorted(odd)


def _lines(
    data: Buffer, numbers: npt.NDArray[np.int32], starts: npt.NDArray[np.int32], ends: npt.NDArray[np.int32]
) -> list[OddLine]:
    places = zip(numbers.tolist(), starts.tolist(), ends.tolist(), strict=True)
    return [OddLine(number, bytes(data[start:end])) for number, start, end in places]


def _chosen(
    rows: PlainRows, starts: npt.NDArray[np.int64], kept: npt.NDArray[np.bool_]
) -> tuple[PlainRows, npt.NDArray[np.int64]]:
    """Some of the rows and where they start, with a text of their own."""
    text = rows.text.data
    places = stretches(np.flatnonzero(kept), starts, rows.ends)
    chosen = np.frombuffer(bytearray().join(text[start:stop] for start, stop in places), dtype=np.uint8)
    sizes = (rows.ends - starts)[kept]
    ends = np.cumsum(sizes, dtype=np.int32)
    columns = {name: getattr(rows, name)[kept] for name in ("lines", "prompt_characters", "answer_characters", "turns")}
    cuts = rows.cuts[kept] - starts[kept] + ends - sizes
    return rows._replace(text=chosen, ends=ends, cuts=cuts, **columns), ends - sizes


def _batch(rows: PlainRows, starts: npt.NDArray[np.int64]) -> Batch:
    text = rows.text.data
    prompts: list[bytes] = []
    names: list[bytes] = []
    messages = starts + MESSAGES_START
    for start, cut, stop in zip(
        messages.tolist(), rows.cuts.tolist(), (rows.ends + MESSAGES_STOP).tolist(), strict=True
    ):
        prompts.append(xxh3_64_digest(text[start:cut]))
        names.append(xxh3_128_digest(text[start:stop]))
    ids = np.frombuffer(b"".join(names), dtype=ROW_ID)
    write_ids(rows.text, rows.ends, ids)
    places = np.frombuffer(b"".join(prompts), dtype=np.uint64)
    return Batch(
        text=text,
        ends=rows.ends.astype(np.int64),
        lines=rows.lines.astype(np.int64),
        rows=ids,
        prompts=places,
        places=places,
        prompt_lengths=rows.prompt_characters.astype(np.int64),
        answer_lengths=rows.answer_characters.astype(np.int64),
        turns=rows.turns.astype(np.int64),
        marks=None,
        line_count=rows.line_count,
    )
