"""Rows read from one stretch of a file, as columns: what passes from the readers to the one who assembles a version."""

from dataclasses import dataclass, field

import msgspec
import numpy as np
import numpy.typing as npt

from corpora.ingest.contracts import Finding, Message, Split
from corpora.ingest.problems import RowProblem
from corpora.ingest.rows import Digest, mark_hash

TRAIN_ROW, TEST_ROW = 0, 1
DEFAULT_SLICE = "all"
ROW_ID = np.dtype("V16")

_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, kw_only=True)
class Marks:
    """What a row says of itself beside its messages."""

    split: Split | None = None
    slice: str = DEFAULT_SLICE
    label: str | None = None
    group: str | None = None


NO_MARKS = Marks()


@dataclass(frozen=True, kw_only=True)
class Batch:
    """The usable rows of a stretch in the file's order, and what else was found in it.

    `text` holds each row's line of canonical JSON, row i ending at `ends[i]`. `rows` are the first 16 bytes of their
    digests, `prompts` eight of their prompts', `places` eight of what decides the split: the group, or the prompt.
    `lines` and the findings' lines count from 1, the first line of the stretch, which has `line_count` of them.
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
    marks: list[Marks] | None
    findings: list[Finding] = field(default_factory=list)
    unused: frozenset[str] = frozenset()
    line_count: int = 0

    def __len__(self) -> int:
        return len(self.lines)


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

    def add(self, line: int, messages: list[Message], named: Digest, marks: Marks) -> None:
        """Take one row; raises RowProblem if it is too long to be kept."""
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
        """What has been taken."""
        lengths = np.array(self._lengths, dtype=np.int64).reshape(-1, 3)
        prompts = np.frombuffer(b"".join(named.prompt[:8] for named in self._digests), dtype=np.uint64)
        places = prompts
        if any(marks.group is not None for marks in self._marks):
            groups = (
                named.prompt[:8] if marks.group is None else mark_hash(marks.group)
                for named, marks in zip(self._digests, self._marks, strict=True)
            )
            places = np.frombuffer(b"".join(groups), dtype=np.uint64)
        return Batch(
            text=b"".join(self._text),
            ends=np.cumsum([len(text) for text in self._text], dtype=np.int64),
            lines=np.array(self._lines, dtype=np.int64),
            rows=np.frombuffer(b"".join(named.row[:16] for named in self._digests), dtype=ROW_ID),
            prompts=prompts,
            places=places,
            prompt_lengths=lengths[:, 0],
            answer_lengths=lengths[:, 1],
            turns=lengths[:, 2],
            marks=self._marks if any(marks is not NO_MARKS for marks in self._marks) else None,
            findings=self.findings,
            unused=frozenset(self.unused),
            line_count=line_count,
        )


def row_line(named: Digest, marks: Marks) -> bytes:
    """A row as it is written: a `contracts.Row` and a line break."""
    return b'{"id":"%b","slice":%b,"label":%b,"messages":%b}\n' % (
        named.row[:16].hex().encode(),
        _encode(marks.slice),
        _encode(marks.label),
        named.conversation,
    )


def too_long(max_row_bytes: int) -> RowProblem:
    """A row over the limit."""
    limit = f"{max_row_bytes / 2**20:g} MiB" if max_row_bytes >= 2**20 else f"{max_row_bytes:,} bytes"
    text = f"The row is longer than {limit}. Shorten it, or check that every row ends with a line break."
    return RowProblem("dataset:row_too_long", "", text)
