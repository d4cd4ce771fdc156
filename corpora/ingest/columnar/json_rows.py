"""Reads the rows of JSON Lines by column, if their fields have the types of their layout.

msgspec reads such a row several times as fast as any row. It overlooks a key that is there twice, and what is in
columns that nothing is read from: the first is found by counting quotation marks, the second is read by jiter.
"""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from operator import attrgetter
from typing import Annotated, Any, Literal

import jiter
import msgspec
import numpy as np

from corpora.ingest.batch import too_long
from corpora.ingest.columnar.columns import MESSAGE_QUOTES, Column, Columns, Found, quotes_in
from corpora.ingest.contracts import Message
from corpora.ingest.formats.jsonl import parse_line
from corpora.ingest.layouts.canonical import Canonical
from corpora.ingest.layouts.known import MARKS
from corpora.ingest.layouts.layout import Layout
from corpora.ingest.layouts.turns import ROLES
from corpora.ingest.metadata import NESTED, short_text, value_of
from corpora.ingest.problems import RowProblem

MAX_COLUMNS = 100
"""Largest number of known columns. Rows with further columns are odd."""

LESSONS = 1_000
"""Number of odd rows that are searched for new columns."""

MAX_DIGITS = 4_000
"""Longest number in digits."""

ESCAPED_QUOTE = rb"\u0022"

Decoder = msgspec.json.Decoder[Any]

_UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
_TWO_AT_LEAST = msgspec.Meta(min_length=2)
_REQUIRED = {"messages": Annotated[list[Message], _TWO_AT_LEAST], "label": str | int}
_MARK = str | int | None | msgspec.UnsetType
_OPTIONAL = str | None | msgspec.UnsetType
_OTHER = msgspec.Raw | msgspec.UnsetType


class Said(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, gc=False, rename={"role": "from", "content": "value"}
):
    """One turn in ShareGPT's notation, which takes as many quotation marks as a `Message`."""

    role: Literal["system", "human", "gpt", "user", "assistant"]
    content: str


class JsonRows:
    """Finds rows in blocks of lines and learns the file's columns on the way."""

    def __init__(self, layout: Layout | None, canonical: Canonical, *, max_row_bytes: int) -> None:
        self._max_row_bytes = max_row_bytes
        self._kept = canonical.kept
        self._required = layout.required if layout else ()
        self._is_sharegpt = layout is not None and "from" in layout.turn_keys
        self._columns: dict[str, str] = {}
        """The fields of the known columns. Columns without a field are not read."""
        self._readable: dict[str, str] = {}
        self._lessons = LESSONS
        self._decoder: Decoder | None = None
        if layout and layout.by_column:
            fields = dict.fromkeys((*layout.fields, *MARKS))
            columns = {field: column for field in fields if (column := canonical.column_of(field)) is not None}
            self._readable = {column: field for field, column in columns.items()}
            if columns.keys() >= set(self._required) and len(self._readable) == len(columns):
                self._know(columns[field] for field in self._required)

    def find(self, data: memoryview) -> Found:
        """The rows of whole lines; an item is a line."""
        text = bytes(data)
        lines = text.split(b"\n")
        if not lines[-1]:
            lines.pop()
        if self._decoder is None or ESCAPED_QUOTE in text:
            return _all_odd(lines)
        rows, taken, odd = self._read(self._decoder, lines)
        values = {column: list(map(attrgetter(_name(number)), rows)) for number, column in enumerate(self._columns)}
        others = {column: values[column] for column, field in self._columns.items() if not field}
        if not rows or not all(map(_is_json, others.values())):
            return _all_odd(lines)
        fields = {field: values[column] for column, field in self._columns.items() if field}
        quotes = quotes_in(text) - sum(line.count(b'"') for _, line in odd) - sum(map(_quotes_in, others.values()))
        quotes -= self._quotes_beside(fields)
        if self._is_sharegpt:
            fields["messages"] = [
                [Message(ROLES[turn.role], turn.content) for turn in turns]  # type: ignore[arg-type]
                for turns in fields["messages"]
            ]
        items = lines if len(rows) == len(lines) else [lines[number - 1] for number in taken]
        columns = Columns(fields, np.fromiter(taken, dtype=np.int64), others, quotes, self._metadata(others, len(rows)))
        return Found(len(lines), columns, items, odd)

    def raw(self, line: bytes) -> Any:
        """The value of a line. Raises RowProblem."""
        if len(line.removesuffix(b"\r")) > self._max_row_bytes:
            raise too_long(self._max_row_bytes)
        return parse_line(line)

    def _metadata(self, others: Mapping[str, Column], rows: int) -> dict[str, list[str]]:
        """The texts of the columns that are kept for filtering, from values that are valid JSON."""
        found: dict[str, list[str]] = {}
        for kept in self._kept:
            read: dict[tuple[bytes | None, bytes | None], str] = {}
            texts = []
            for value in zip(*(_written(others.get(name), rows) for name in (kept, NESTED)), strict=True):
                if value not in read:
                    named = zip((kept, NESTED), value, strict=True)
                    row = {name: jiter.from_json(written) for name, written in named if written is not None}
                    read[value] = short_text(value_of(row, kept))
                texts.append(read[value])
            found[short_text(kept)] = texts
        return found

    def _read(self, decoder: Decoder, lines: list[bytes]) -> tuple[list[Any], Sequence[int], list[tuple[int, bytes]]]:
        """(rows, their numbers, the other lines)."""
        if max(map(len, lines)) <= self._max_row_bytes:
            with suppress(*_UNREADABLE):
                return list(map(decoder.decode, lines)), range(1, len(lines) + 1), []
        rows, taken, odd = [], [], []
        decode, limit = decoder.decode, self._max_row_bytes
        for number, line in enumerate(lines, 1):
            try:
                row = decode(line)
            except _UNREADABLE:
                if not line or line.isspace():
                    continue
                if self._lessons and (learned := self._learn(line)):
                    return self._read(learned, lines)
                odd.append((number, line))
                continue
            if len(line) > limit:
                odd.append((number, line))
                continue
            rows.append(row)
            taken.append(number)
        return rows, taken, odd

    def _learn(self, line: bytes) -> Decoder | None:
        """A decoder that also knows the columns of a line, or None if all were known."""
        self._lessons -= 1
        try:
            raw = parse_line(line)
        except RowProblem:
            return None
        return self._know(raw) if isinstance(raw, dict) and raw.keys() - self._columns.keys() else None

    def _know(self, names: Iterable[str]) -> Decoder | None:
        """A decoder that also knows these columns, or None if there are too many or a name is not possible."""
        columns = self._columns | {name: self._readable.get(name, "") for name in names}
        fields: list[Any] = []
        for number, field in enumerate(columns.values()):
            if field in self._required:
                kind: Any = _REQUIRED.get(field, str)
                if field == "messages" and self._is_sharegpt:
                    kind = Annotated[list[Said], _TWO_AT_LEAST]
                fields.append((_name(number), kind))
            else:
                optional = _MARK if field in MARKS else _OPTIONAL if field else _OTHER
                fields.append((_name(number), optional, msgspec.UNSET))
        renamed = {_name(number): column for number, column in enumerate(columns)}
        with suppress(ValueError):
            if len(columns) <= MAX_COLUMNS:
                row = msgspec.defstruct(
                    "Row", fields, rename=renamed, forbid_unknown_fields=True, kw_only=True, gc=False
                )
                self._columns, self._decoder = columns, msgspec.json.Decoder(row)
                return self._decoder
        return None

    def _quotes_beside(self, fields: Mapping[str, Column]) -> int:
        """The number of quotation marks in the lines, without those of conversations and other columns."""
        quotes = 0
        for field, values in fields.items():
            if field in self._required and field not in _REQUIRED:
                quotes += 4 * len(values)
                continue
            texts = values if set(map(type, values)) == {str} else [text for text in values if isinstance(text, str)]
            quotes += 2 * len(_given(values)) + 2 * len(texts)
            if field in MARKS and field not in self._required:
                quotes += "".join(texts).count('"')
            if field == "system":
                quotes -= MESSAGE_QUOTES * sum(map(bool, texts))
        if "messages" not in fields:
            quotes -= 2 * MESSAGE_QUOTES * len(fields[self._required[0]])
        return quotes


def _all_odd(lines: list[bytes]) -> Found:
    odd = [(number, line) for number, line in enumerate(lines, 1) if line and not line.isspace()]
    return Found(len(lines), None, [], odd)


def _name(number: int) -> str:
    return f"column_{number}"


def _given(values: Column) -> Column:
    if msgspec.UnsetType not in set(map(type, values)):
        return values
    return [value for value in values if value is not msgspec.UNSET]


def _written(values: Column | None, rows: int) -> list[bytes | None]:
    """The JSON of each row's value, None where it has none."""
    if values is None:
        return [None] * rows
    return [None if value is msgspec.UNSET else bytes(value) for value in values]


def _is_json(values: Column) -> bool:
    """Whether values that msgspec skipped are valid JSON without duplicate keys."""
    given = _given(values)
    written = b",".join(given)
    try:
        if b"{" not in written and b"[" not in written and max(map(len, given), default=0) < MAX_DIGITS:
            # Texts and numbers have no keys.
            written.decode()
            return True
        found = jiter.from_json(b"[%b]" % written, allow_inf_nan=False, catch_duplicate_keys=True)
    except ValueError:
        return False
    return len(found) == len(given)


def _quotes_in(values: Column) -> int:
    """The quotation marks of a column's names and values."""
    given = _given(values)
    return 2 * len(given) + quotes_in(b"".join(given))
