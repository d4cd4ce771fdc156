"""Rows read from one part of a file, as columns. Readers pass them to the assembly."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from corpora.ingest.contracts import Finding, Message, Split
from corpora.ingest.problems import RowProblem
from corpora.ingest.rows import Digest, mark_hash

TRAIN_ROW, TEST_ROW = 0, 1
DEFAULT_SLICE = "all"
ROW_ID = np.dtype("V16")

Metadata = tuple[tuple[str, str], ...]
"""(column, value) of what is kept with a row for filtering, without empty values."""

Offsets = npt.NDArray[np.int64] | npt.NDArray[np.int32]

_HEAD, _TAIL = b'{"id":"', b"}\n"
LINE_BYTES = len(_HEAD) + 2 * ROW_ID.itemsize + len(_TAIL)
"""Bytes of a row's line besides its messages and marks."""

_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, kw_only=True)
class Marks:
    """Split, slice, label and group of a row, and what is kept for filtering."""

    split: Split | None = None
    slice: str = DEFAULT_SLICE
    label: str | None = None
    group: str | None = None
    metadata: Metadata = ()


NO_MARKS = Marks()


class Marked(NamedTuple):
    """The marks of rows: those that some row has, and which of `kinds` is each row's.

    A group's name is left out: it is empty, and what stands for it is among the batch's `places`.
    """

    kinds: list[Marks]
    rows: npt.NDArray[np.intp]

    def of(self, chosen: npt.NDArray[np.bool_] | slice = slice(None)) -> Iterator[tuple[Marks, int]]:
        """(marks, how many of the chosen rows have them), in the order in which they come first."""
        kinds, first, counts = np.unique(self.rows[chosen], return_index=True, return_counts=True)
        return ((self.kinds[kinds[index]], int(counts[index])) for index in np.argsort(first).tolist())


def marked(rows: Iterable[Marks]) -> Marked | None:
    """The marks of rows together; None if no row has any."""
    numbers: dict[Marks, int] = {}
    is_marked = False
    codes = []
    for marks in rows:
        is_marked = is_marked or marks is not NO_MARKS
        codes.append(numbers.setdefault(replace(marks, group="") if marks.group else marks, len(numbers)))
    return Marked(list(numbers), np.array(codes, dtype=np.intp)) if is_marked else None


@dataclass(frozen=True, kw_only=True)
class Batch:
    """The usable rows of a part of the file, in its order, and the findings in it.

    `text` holds each row's line of canonical JSON, row i ending at `ends[i]`. `rows` are their digests, `prompts` their
    prompts', `places` those of what decides the split: the group, or the prompt.
    `lines` and the findings' lines count from 1, the first line of the part, which has `line_count` lines.
    """

    text: bytes | memoryview
    ends: npt.NDArray[np.int64]
    lines: npt.NDArray[np.int64]
    rows: npt.NDArray[np.void]
    prompts: npt.NDArray[np.uint64]
    places: npt.NDArray[np.uint64]
    prompt_lengths: npt.NDArray[np.int64]
    answer_lengths: npt.NDArray[np.int64]
    turns: npt.NDArray[np.int64]
    marks: Marked | None
    findings: list[Finding] = field(default_factory=list)
    unused: frozenset[str] = frozenset()
    line_count: int = 0

    def __len__(self) -> int:
        return len(self.lines)

    def merged(self, other: "Batch") -> "Batch":
        """The rows of both batches, which are from the same part of the file, in its order."""
        order = np.argsort(np.concatenate((self.lines, other.lines)), kind="stable")
        ends = np.concatenate((self.ends, other.ends + len(self.text)))
        starts = np.concatenate(([0], ends[:-1]))
        both = memoryview(b"".join((self.text, other.text)))

        def column(name: str) -> Any:
            return np.concatenate((getattr(self, name), getattr(other, name)))[order]

        marks = None
        if self.marks or other.marks:
            unmarked = [Marked([NO_MARKS], np.zeros(len(batch), dtype=np.intp)) for batch in (self, other)]
            first, second = self.marks or unmarked[0], other.marks or unmarked[1]
            both_rows = np.concatenate((first.rows, second.rows + len(first.kinds)))
            marks = Marked([*first.kinds, *second.kinds], both_rows[order])
        return Batch(
            text=b"".join(both[start:stop] for start, stop in stretches(order, starts, ends)),
            ends=np.cumsum((ends - starts)[order]),
            **{name: column(name) for name in _COLUMNS},
            marks=marks,
            findings=[*self.findings, *other.findings],
            unused=self.unused | other.unused,
            line_count=self.line_count,
        )


_COLUMNS = ("lines", "rows", "prompts", "places", "prompt_lengths", "answer_lengths", "turns")


def stretches(rows: npt.NDArray[np.intp], starts: Offsets, ends: Offsets) -> Iterator[tuple[int, int]]:
    """(start, stop) of the texts of rows, one for all that follow each other."""
    if not len(rows):
        return iter(())
    breaks = np.flatnonzero(np.diff(rows) != 1)
    first = rows[np.concatenate(([0], breaks + 1))]
    last = rows[np.concatenate((breaks, [len(rows) - 1]))]
    return zip(starts[first].tolist(), ends[last].tolist(), strict=True)


@dataclass
class BatchBuilder:
    """Takes rows one by one; `max_row_bytes` bounds a row's line."""

    max_row_bytes: int
    findings: list[Finding] = field(default_factory=list)
    unused: set[str] = field(default_factory=set)
    _text: list[bytes] = field(default_factory=list)
    _lines: list[int] = field(default_factory=list)
    _digests: list[Digest] = field(default_factory=list)
    _lengths: list[tuple[int, int, int]] = field(default_factory=list)
    _marks: list[Marks] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self._lines)

    def add(self, line: int, messages: Sequence[Message], named: Digest, marks: Marks) -> None:
        """Take one row. Raises RowProblem if it is too long."""
        text = row_line(named, marks)
        if len(text) > self.max_row_bytes:
            raise too_long(self.max_row_bytes)
        *prompt, answer = messages
        self._text.append(text)
        self._lines.append(line)
        self._digests.append(Digest(b"", named.row, named.prompt))
        self._lengths.append((sum(len(turn.content) for turn in prompt), len(answer.content), len(messages)))
        self._marks.append(marks)

    def batch(self, *, line_count: int) -> Batch:
        """The batch of all rows taken."""
        lengths = np.array(self._lengths, dtype=np.int64).reshape(-1, 3)
        prompts = np.frombuffer(b"".join(named.prompt for named in self._digests), dtype=np.uint64)
        places = prompts
        if any(marks.group is not None for marks in self._marks):
            groups = (
                named.prompt if marks.group is None else mark_hash(marks.group)
                for named, marks in zip(self._digests, self._marks, strict=True)
            )
            places = np.frombuffer(b"".join(groups), dtype=np.uint64)
        return Batch(
            text=b"".join(self._text),
            ends=np.cumsum([len(text) for text in self._text], dtype=np.int64),
            lines=np.array(self._lines, dtype=np.int64),
            rows=np.frombuffer(b"".join(named.row for named in self._digests), dtype=ROW_ID),
            prompts=prompts,
            places=places,
            prompt_lengths=lengths[:, 0],
            answer_lengths=lengths[:, 1],
            turns=lengths[:, 2],
            marks=marked(self._marks),
            findings=self.findings,
            unused=frozenset(self.unused),
            line_count=line_count,
        )


def stored_marks(marks: Marks) -> bytes:
    """What a row's line holds beside its messages, as JSON."""
    return _encode((marks.slice, marks.label, *(text for _, text in marks.metadata)))


def row_line(named: Digest, marks: Marks) -> bytes:
    """A row as it is written: a `contracts.Row` and a line break."""
    return row_lines(named.row, [line_middle(marks)], [named.conversation])


def row_lines(ids: bytes, middles: Sequence[bytes], conversations: Sequence[bytes]) -> bytes:
    """Rows as they are written, from the 16 bytes of each one's id, its marks (see `line_middle`) and its messages."""
    if not middles:
        return b""
    parts = [_TAIL + _HEAD] * (4 * len(middles))
    parts[::4] = ids.hex(" ", ROW_ID.itemsize).encode().split(b" ")
    parts[1::4] = middles
    parts[2::4] = conversations
    parts[-1] = _TAIL
    return b"".join((_HEAD, *parts))


def line_middle(marks: Marks) -> bytes:
    """What stands between a row's id and its messages."""
    kept = b',"metadata":%b' % _encode(dict(marks.metadata)) if marks.metadata else b""
    return b'","slice":%b,"label":%b%b,"messages":' % (_encode(marks.slice), _encode(marks.label), kept)


def too_long(max_row_bytes: int) -> RowProblem:
    """A row over the limit."""
    limit = f"{max_row_bytes / 2**20:g} MiB" if max_row_bytes >= 2**20 else f"{max_row_bytes:,} bytes"
    text = f"The row is longer than {limit}. Shorten it, or check that every row ends with a line break."
    return RowProblem("dataset:row_too_long", "", text)
