"""Reads many rows at once, column by column. Only rows that are certainly usable unchanged are read this way.

Every other row is odd and is left to be read by itself (see `reader`), where each problem has its text. Both ways give
the same.
"""

from collections.abc import Mapping, Sequence, Sized
from dataclasses import replace
from typing import Any, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt
from xxhash import xxh3_64_digest, xxh3_128_digest

from corpora.ingest.batch import (
    LINE_BYTES,
    NO_MARKS,
    ROW_ID,
    Batch,
    Marked,
    Marks,
    line_middle,
    row_lines,
    stored_marks,
)
from corpora.ingest.contracts import Message
from corpora.ingest.layouts.canonical import Canonical
from corpora.ingest.layouts.known import MARKS
from corpora.ingest.layouts.layout import Layout
from corpora.ingest.problems import RowProblem
from corpora.ingest.rows import mark_hash
from corpora.ingest.texts.personal import Suspects

Column = Sequence[Any]
Conversation = Sequence[Message]
Flags = npt.NDArray[np.bool_]
Numbers = npt.NDArray[np.int64]

ANSWER = b',{"role":"assistant","content":"'
QUESTION = b'{"role":"user","content":"'
MESSAGE_QUOTES = 8
"""Quotation marks around the keys and values of a message."""

_encode = msgspec.json.Encoder().encode


class Columns(NamedTuple):
    """The rows of one block: the values of each field in the file, and each row's first line.

    "messages" are lists of `Message`, two at least; other required fields are texts, or whole numbers for a label.
    Optional ones may be None or UNSET too, and so may marks, which are texts, whole numbers or truth values. `others`
    are columns that nothing is read from, by name; a row has them unless they are UNSET. If `quotes` is given, the JSON
    of the conversations has as many quotation marks unless something in the file was overlooked. `metadata` are short
    texts of the columns that are kept for filtering, empty where a row has none.
    """

    fields: Mapping[str, Column]
    lines: Numbers
    others: Mapping[str, Column]
    quotes: int | None = None
    metadata: Mapping[str, Sequence[str]] = {}

    @property
    def same_in_all_rows(self) -> bool:
        """Whether every row has all other columns."""
        return not any(values.count(msgspec.UNSET) for values in self.others.values())


class Found(NamedTuple):
    """The content of a block of `line_count` lines.

    `items` are the file's own rows, one for each of the columns; `odd` are (line, item) of rows that are not there.
    """

    line_count: int
    columns: Columns | None
    items: Sequence[Any]
    odd: list[tuple[int, Any]]


class Conversations(NamedTuple):
    """The messages of rows, with the number of prompt characters, answer characters and turns of each row.

    `blanks` are the rows with an empty text.
    """

    conversations: Sequence[Conversation]
    prompts: Numbers
    answers: Numbers
    turns: Numbers
    blanks: list[int]


class ColumnReader:
    """Makes batches from columns. Conversations of more than `longest` bytes of JSON are odd."""

    def __init__(
        self, layout: Layout, canonical: Canonical, *, longest: int, suspects: Suspects, max_row_bytes: int
    ) -> None:
        self._layout = layout
        self._canonical = canonical
        self._longest = longest
        self._suspects = suspects
        self._max_row_bytes = max_row_bytes
        self._readable = set() if "messages" in layout.required else {"input", "system"}

    def read(self, columns: Columns, *, line_count: int) -> tuple[Batch, Flags]:
        """The rows that can be used as they are, and which rows are odd."""
        found = _chats(columns.fields) if "messages" in self._layout.required else _pairs(self._layout, columns.fields)
        texts = list(map(_encode, found.conversations))
        odd = self._odd(columns, found, texts)
        marks, rows = self._marks(columns.fields, columns.metadata, odd)
        middles = [line_middle(kind) for kind in marks]
        sizes = counts(texts) + counts(middles)[rows] + LINE_BYTES
        odd |= sizes > self._max_row_bytes

        kept = np.flatnonzero(~odd)
        if len(kept) < len(texts):
            texts, rows = [texts[row] for row in kept.tolist()], rows[kept]
        ids = b"".join(map(xxh3_128_digest, texts))
        hashes = np.frombuffer(b"".join([xxh3_64_digest(text[: text.rfind(ANSWER)]) for text in texts]), np.uint64)
        batch = Batch(
            text=row_lines(ids, [middles[row] for row in rows.tolist()], texts),
            ends=np.cumsum(sizes[kept]),
            lines=columns.lines[kept],
            rows=np.frombuffer(ids, dtype=ROW_ID),
            prompts=hashes,
            places=_places(hashes, marks, rows),
            prompt_lengths=found.prompts[kept],
            answer_lengths=found.answers[kept],
            turns=found.turns[kept],
            marks=_marked(marks, rows),
            unused=frozenset(self._canonical.unused(_present(columns.others, kept.tolist()))),
            line_count=line_count,
        )
        return batch, odd

    def _odd(self, columns: Columns, found: Conversations, texts: list[bytes]) -> Flags:
        """Which rows are odd because of their texts or messages."""
        joined = b"\n".join(texts)
        if columns.quotes is not None and columns.quotes != quotes_in(joined):
            return np.ones(len(texts), dtype=np.bool_)
        sizes = counts(texts)
        odd: Flags = sizes > self._longest
        odd[np.searchsorted(np.cumsum(sizes + 1), self._suspects.scan(joined))] = True
        odd[found.blanks] = True
        for field in {*self._layout.optional} - self._readable:
            values = columns.fields.get(field, ())
            if any(values):
                odd |= list(map(bool, values))
        if "messages" in self._layout.required:
            odd |= [messages[-1].role != "assistant" for messages in found.conversations]
            odd |= [QUESTION not in text for text in texts]
        return odd

    def _marks(
        self, fields: Mapping[str, Column], metadata: Mapping[str, Sequence[str]], odd: Flags
    ) -> tuple[list[Marks], npt.NDArray[np.intp]]:
        """The distinct marks, and the index of each row's marks."""
        names = [name for name in MARKS if name in fields]
        if not names and not metadata:
            return [NO_MARKS], np.zeros(len(odd), dtype=np.intp)
        values = list(zip(*(fields[name] for name in names), *metadata.values(), strict=True))
        numbers = {value: number for number, value in enumerate(dict.fromkeys(values))}
        rows = np.fromiter(map(numbers.__getitem__, values), dtype=np.intp, count=len(values))
        kinds = []
        for number, value in enumerate(numbers):
            marked = zip(names, value[: len(names)], strict=True)
            given = {name: item for name, item in marked if item is not msgspec.UNSET}
            kept = zip(metadata, value[len(names) :], strict=True)
            try:
                kinds.append(self._canonical.marks(given, tuple((column, text) for column, text in kept if text)))
            except RowProblem:
                kinds.append(NO_MARKS)
                odd |= rows == number
                continue
            if kinds[-1] is not NO_MARKS and self._suspects.scan(stored_marks(kinds[-1])):
                odd |= rows == number
        return kinds, rows


def _chats(fields: Mapping[str, Column]) -> Conversations:
    """Rows of the chat layout."""
    conversations = fields["messages"]
    turns = counts(conversations)
    ends = np.cumsum(turns)
    contents = [turn.content for messages in conversations for turn in messages]
    characters = counts(contents)
    answers = characters[ends - 1]
    prompts = np.add.reduceat(characters, ends - turns) - answers
    blanks = np.searchsorted(ends, _blanks(contents), side="right").tolist()
    return Conversations(conversations, prompts, answers, turns, blanks)


def _pairs(layout: Layout, fields: Mapping[str, Column]) -> Conversations:
    """Rows with a prompt and an answer, and optionally an input or a system prompt."""
    asked, answered = (fields[name] for name in layout.required)
    if int in set(map(type, answered)):
        answered = list(map(str, answered))
    blanks = _blanks(asked) + _blanks(answered)
    more = fields.get("input", ()) if "input" in layout.optional else ()
    if any(more):
        blanks += _blanks(more, may_be_missing=True)
        asked = [f"{text}\n\n{extra}" if extra else text for text, extra in zip(asked, more, strict=True)]
    users = [Message("user", text) for text in asked]
    answers = [Message("assistant", text) for text in answered]
    prompts, turns = counts(asked), np.full(len(users), 2)
    systems = fields.get("system", ())
    if not any(systems):
        return Conversations(list(zip(users, answers, strict=True)), prompts, counts(answered), turns, blanks)
    blanks += _blanks(systems, may_be_missing=True)
    given = counts([system or "" for system in systems])
    rows = zip(systems, users, answers, strict=True)
    conversations = [(Message("system", system), *pair) if system else tuple(pair) for system, *pair in rows]
    return Conversations(conversations, prompts + given, counts(answered), turns + (given > 0), blanks)


def counts(values: Sequence[Sized]) -> Numbers:
    """The length of each value."""
    return np.fromiter(map(len, values), dtype=np.int64, count=len(values))


def quotes_in(text: bytes | memoryview) -> int:
    """The number of quotation marks in bytes."""
    return int(np.count_nonzero(np.frombuffer(text, dtype=np.uint8) == ord('"')))


def _blanks(texts: Column, *, may_be_missing: bool = False) -> list[int]:
    """Which texts are only white space, or empty unless `may_be_missing`."""
    if may_be_missing:
        return [row for row, text in enumerate(texts) if text and not text.strip()]
    return [] if all(map(str.strip, texts)) else [row for row, text in enumerate(texts) if not text.strip()]


def _places(prompts: npt.NDArray[np.uint64], marks: list[Marks], rows: npt.NDArray[np.intp]) -> npt.NDArray[np.uint64]:
    """The hash that decides each row's split: of its group, or else of its prompt."""
    is_grouped = np.array([kind.group is not None for kind in marks])[rows]
    if not is_grouped.any():
        return prompts
    groups = b"".join(mark_hash(kind.group or "") for kind in marks)
    return np.where(is_grouped, np.frombuffer(groups, dtype=np.uint64)[rows], prompts)


def _present(others: Mapping[str, Column], rows: list[int]) -> list[str]:
    return [name for name, values in others.items() if any(values[row] is not msgspec.UNSET for row in rows)]


def _marked(marks: list[Marks], rows: npt.NDArray[np.intp]) -> Marked | None:
    """Only the marks of these rows."""
    numbers, compact = np.unique(rows, return_inverse=True)
    kinds = [marks[number] for number in numbers.tolist()]
    if all(kind is NO_MARKS for kind in kinds):
        return None
    return Marked([replace(kind, group="") if kind.group else kind for kind in kinds], compact)
