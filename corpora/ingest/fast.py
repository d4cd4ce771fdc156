"""The usual file, read by the block: where all is plain, no row is touched more than once.

Each shortcut is proven for the whole block, or the block is left to be read line by line: every line is one object, no
object has a key twice, there are no keys but the layout's own, and no text is empty or holds a NUL.
"""

from binascii import hexlify
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from corpora.ingest.batch import ROW_ID, Batch
from corpora.ingest.contracts import Finding, Message
from corpora.ingest.personal import Suspects
from corpora.ingest.rules import Rules

QUOTE, BACKSLASH, COLON, NEWLINE, OPEN, CLOSE = b'"\\:\n{}'
BLANKS = np.zeros(256, dtype=np.bool_)
BLANKS[list(b" \t\r")] = True

Bytes = npt.NDArray[np.uint8]


class _Chat(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    messages: list[Message]


class _Prompt(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    prompt: str
    completion: str


class _Instruction(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    instruction: str
    output: str
    input: str | msgspec.UnsetType | None = msgspec.UNSET


class _NotPlain(Exception):
    """The block has to be read line by line."""


class FastBlocks:
    """Reads blocks of whole lines of JSON Lines in one layout."""

    def __init__(self, layout: str, *, rules: Rules, suspects: Suspects, max_row_bytes: int) -> None:
        kind, self._conversations = _LAYOUTS[layout]
        self._decoder: msgspec.json.Decoder[Any] = msgspec.json.Decoder(kind)
        self._rules = rules
        self._suspects = suspects
        self._max_row_bytes = max_row_bytes

    @staticmethod
    def reads(layout: str) -> bool:
        """Whether there is a short way for files of this layout."""
        return layout in _LAYOUTS

    def read(self, data: bytes) -> Batch | None:
        """The rows of a block, or None if it has to be read line by line."""
        if b"\r" in data:
            # Outside of strings a carriage return is white space, and inside them it cannot be.
            data = data.replace(b"\r\n", b"\n")
        try:
            return self._read(data if data.endswith(b"\n") else data + b"\n")
        except (_NotPlain, msgspec.DecodeError, UnicodeError, RecursionError):
            return None

    def _read(self, data: bytes) -> Batch:
        view = np.frombuffer(data, dtype=np.uint8)
        breaks = np.flatnonzero(view == NEWLINE)
        _check_lines(view, breaks, self._max_row_bytes)
        decoded = self._decoder.decode_lines(data)
        if len(decoded) != len(breaks):
            raise _NotPlain
        conversations, keys = self._conversations(decoded)
        if _count_keys(view) != keys:
            raise _NotPlain
        ends, has_nul = self._suspects.scan(data)
        if has_nul:
            raise _NotPlain
        rows = _Rows(conversations)
        if ends:
            self._look(rows, sorted(set(np.searchsorted(breaks, ends).tolist())), long=False)
        columns = _encode_rows(rows.conversations)
        long = np.flatnonzero(columns.sizes > self._rules.longest_certain)
        if len(long) and self._look(rows, long.tolist(), long=True):
            columns = _encode_rows(rows.conversations)
        return self._batch(rows, columns)

    def _look(self, rows: "_Rows", indexes: Iterable[int], *, long: bool) -> bool:
        """Apply the rules to some rows; whether one of them was left out."""
        left_out = set()
        for index in indexes:
            ruling = self._rules.apply(rows.lines[index], rows.conversations[index], suspicious=not long, long=long)
            rows.findings += ruling.findings
            if ruling.messages is None:
                left_out.add(index)
            else:
                rows.conversations[index] = ruling.messages
        if left_out:
            rows.conversations = [row for index, row in enumerate(rows.conversations) if index not in left_out]
            rows.lines = [line for index, line in enumerate(rows.lines) if index not in left_out]
        return bool(left_out)

    def _batch(self, rows: "_Rows", columns: "_Columns") -> Batch:
        sizes = np.diff(columns.ends, prepend=0)
        if len(sizes) and sizes.max() > self._max_row_bytes:
            raise _NotPlain
        text = memoryview(columns.text)
        prompts: list[bytes] = []
        names: list[bytes] = []
        for start, cut, stop in columns.spans.tolist():
            running = sha256(text[start:cut])
            prompts.append(running.digest())
            running.update(text[cut:stop])
            names.append(running.digest())
        places = np.frombuffer(b"".join(prompts), dtype=np.uint64)[::4]
        ids = np.ascontiguousarray(np.frombuffer(b"".join(names), dtype=ROW_ID)[::2])
        _write_ids(columns, ids)
        return Batch(
            text=text,
            ends=columns.ends,
            lines=np.array(rows.lines, dtype=np.int64),
            rows=ids,
            prompts=places,
            places=places,
            prompt_lengths=columns.prompt_lengths,
            answer_lengths=columns.answer_lengths,
            turns=columns.turns,
            marks=None,
            findings=rows.findings,
            line_count=rows.line_count,
        )


class _Line(msgspec.Struct, gc=False):
    """A `contracts.Row` as it is written, in its order."""

    id: str
    slice: str
    label: str | None
    messages: list[Message]


_NO_ID = "0" * 32
_ID_STARTS = len(b'{"id":"')
_MESSAGES_START = len(b'{"id":"","slice":"all","label":null,"messages":') + len(_NO_ID)
_ROLE_STARTS = len(b',{"role":"')
_encoder = msgspec.json.Encoder()


@dataclass
class _Rows:
    """The conversations of a block and the lines they stand in, from 1."""

    conversations: list[list[Message]]
    findings: list[Finding] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.line_count = len(self.conversations)
        self.lines = list(range(1, self.line_count + 1))


@dataclass(frozen=True)
class _Columns:
    """`text` is the rows' lines, ids still to be written; row i ends at `ends[i]`.

    `spans` are (start, where the answer's comma is, stop) of each conversation in it.
    """

    text: bytearray
    ends: npt.NDArray[np.int64]
    spans: npt.NDArray[np.int64]
    sizes: npt.NDArray[np.int64]
    prompt_lengths: npt.NDArray[np.int64]
    answer_lengths: npt.NDArray[np.int64]
    turns: npt.NDArray[np.int64]


def _encode_rows(conversations: list[list[Message]]) -> _Columns:
    """Canonical JSON of all; raises _NotPlain where a row is no conversation that ends with an answer."""
    turns = np.fromiter(map(len, conversations), dtype=np.int64, count=len(conversations))
    contents = [turn.content for row in conversations for turn in row]
    lengths = np.fromiter(map(len, contents), dtype=np.int64, count=len(contents))
    if (len(turns) and (turns.min() < 2 or lengths.min() == 0)) or any(map(str.isspace, contents)):
        raise _NotPlain
    if not all(row[0].role == "user" or any(turn.role == "user" for turn in row) for row in conversations):
        raise _NotPlain
    text = bytearray(_encoder.encode_lines([_Line(_NO_ID, "all", None, row) for row in conversations]))
    view = np.frombuffer(text, dtype=np.uint8)
    ends = np.flatnonzero(view == NEWLINE) + 1
    stops = ends - len(b"}\n")
    starts = np.concatenate(([0], ends[:-1]))[: len(ends)] + _MESSAGES_START
    answers = _encoder.encode_lines([row[-1] for row in conversations])
    answer_sizes = np.diff(np.flatnonzero(np.frombuffer(answers, dtype=np.uint8) == NEWLINE), prepend=-1) - 1
    cuts = stops - answer_sizes - len(b",]")
    if (view[cuts + _ROLE_STARTS] != ord("a")).any():
        raise _NotPlain
    last = np.cumsum(turns) - 1
    answer_lengths = lengths[last]
    totals = np.diff(np.cumsum(lengths)[last], prepend=0)
    spans = np.stack((starts, cuts, stops), axis=1)
    return _Columns(text, ends, spans, stops - starts, totals - answer_lengths, answer_lengths, turns)


def _write_ids(columns: _Columns, ids: npt.NDArray[np.void]) -> None:
    """Write each row's id into its line, as hexadecimal digits."""
    digits = np.frombuffer(hexlify(ids.tobytes()), dtype=np.uint8).reshape(-1, len(_NO_ID))
    starts = columns.spans[:, :1] - (_MESSAGES_START - _ID_STARTS)
    np.frombuffer(columns.text, dtype=np.uint8)[starts + np.arange(len(_NO_ID))] = digits


def _check_lines(view: Bytes, breaks: npt.NDArray[np.intp], limit: int) -> None:
    """Every line begins and ends as an object does. `}` before `{` stands nowhere inside an object."""
    if view[0] != OPEN or (view[breaks - 1] != CLOSE).any() or (view[breaks[:-1] + 1] != OPEN).any():
        raise _NotPlain
    if np.diff(breaks, prepend=-1).max() - 1 > limit:
        raise _NotPlain


def _count_keys(view: Bytes) -> int:
    """How many keys the objects have, those that are there twice counted twice; raises _NotPlain if that is unclear.

    A key is what ends in a quotation mark before a colon. In a text that mark has a backslash before it.
    """
    colons = np.flatnonzero(view == COLON)
    before = view[colons - 1]
    quoted = colons[before == QUOTE]
    escaped = np.count_nonzero(view[quoted - 2] == BACKSLASH)
    ends = colons[BLANKS[before]] - 2
    while len(ends):
        mark = ends[view[ends] == QUOTE]
        if (view[mark - 1] != BACKSLASH).any():
            raise _NotPlain
        ends = ends[BLANKS[view[ends]]] - 1
    return len(quoted) - int(escaped)


def _chats(decoded: Sequence[_Chat]) -> tuple[list[list[Message]], int]:
    conversations = [row.messages for row in decoded]
    return conversations, len(decoded) + 2 * sum(map(len, conversations))


def _prompts(decoded: Sequence[_Prompt]) -> tuple[list[list[Message]], int]:
    pairs = [[Message("user", row.prompt), Message("assistant", row.completion)] for row in decoded]
    return pairs, 2 * len(decoded)


def _instructions(decoded: Sequence[_Instruction]) -> tuple[list[list[Message]], int]:
    pairs = []
    keys = 2 * len(decoded)
    for row in decoded:
        keys += row.input is not msgspec.UNSET
        if not row.instruction or row.instruction.isspace() or (row.input and row.input.isspace()):
            raise _NotPlain
        task = f"{row.instruction}\n\n{row.input}" if row.input else row.instruction
        pairs.append([Message("user", task), Message("assistant", row.output)])
    return pairs, keys


_Conversations = Callable[[Any], tuple[list[list[Message]], int]]
_LAYOUTS: dict[str, tuple[type[msgspec.Struct], _Conversations]] = {
    "chat": (_Chat, _chats),
    "prompt and completion": (_Prompt, _prompts),
    "instruction": (_Instruction, _instructions),
}
