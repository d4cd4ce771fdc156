"""Reads lines of JSON by the column, as rows whose fields have the types that their layout gives them.

msgspec reads such a row several times as fast as any row. It overlooks a key that is there twice, and what is in
columns that nothing is read from: the first is found by counting quotation marks, the second is read by jiter.
"""

from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from operator import attrgetter
from typing import Annotated, Any

import jiter
import msgspec
import numpy as np

from corpora.ingest.canonical import MARKS, Canonical
from corpora.ingest.columns import MESSAGE_QUOTES, Column, Columns, quotes_in
from corpora.ingest.contracts import Message
from corpora.ingest.jsonl import parse_line
from corpora.ingest.layouts import Layout
from corpora.ingest.problems import RowProblem

MAX_OTHERS = 100
"""Columns that nothing is read from; rows with still others are odd."""

LESSONS = 1_000
"""Odd rows that are looked through for columns which are not known yet."""

ESCAPED_QUOTE = rb"\u0022"

Line = tuple[int, bytes]
Decoder = msgspec.json.Decoder[Any]

_MESSAGES = Annotated[list[Message], msgspec.Meta(min_length=2)]
_MARK = str | int | None | msgspec.UnsetType
_OPTIONAL = str | None | msgspec.UnsetType
_OTHER = msgspec.Raw | msgspec.UnsetType


class TypedLines:
    """Reads lines of one layout, and learns what other columns a file has while it reads it."""

    def __init__(self, layout: Layout, canonical: Canonical, *, max_row_bytes: int) -> None:
        self._layout = layout
        self._max_row_bytes = max_row_bytes
        fields = dict.fromkeys((*layout.fields, *MARKS))
        self._columns = {field: column for field in fields if (column := canonical.column_of(field)) is not None}
        self._others: list[str] = []
        self._lessons = LESSONS
        self._decoder: Decoder | None = None
        if self._columns.keys() >= set(layout.required):
            with suppress(ValueError):
                self._decoder = self._decoder_for([])

    def read(self, data: bytes) -> tuple[Columns | None, list[Line], list[Line]]:
        """Rows by the column, their lines, and the odd lines; all are odd if there are no columns."""
        lines = whole_lines(data)
        if self._decoder is None or ESCAPED_QUOTE in data:
            return None, [], lines
        rows, taken, odd = self._decode(self._decoder, lines)
        others = self._other_columns(rows)
        if not rows or others is None:
            return None, [], lines
        fields = self._fields(rows)
        quotes = quotes_in(data) - sum(line.count(b'"') for _, line in odd)
        quotes -= self._quotes_beside(fields) + sum(map(_quotes_in_other, others.values()))
        columns = Columns(fields, np.array([number for number, _ in taken], dtype=np.int64), others, quotes)
        return columns, taken, odd

    def _decode(self, decoder: Decoder, lines: list[Line]) -> tuple[list[Any], list[Line], list[Line]]:
        rows, taken, odd = [], [], []
        decode = decoder.decode
        for line in lines:
            try:
                if len(line[1]) > self._max_row_bytes:
                    odd.append(line)
                    continue
                rows.append(decode(line[1]))
                taken.append(line)
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                if self._lessons and (learned := self._learn(line[1])):
                    return self._decode(learned, lines)
                odd.append(line)
        return rows, taken, odd

    def _learn(self, line: bytes) -> Decoder | None:
        """A decoder that knows the columns of a line too; None if they were known."""
        self._lessons -= 1
        try:
            raw = parse_line(line)
        except RowProblem:
            return None
        known = {*self._columns.values(), *self._others}
        names = [name for name in raw if name not in known] if isinstance(raw, dict) else []
        if not names or len(self._others) + len(names) > MAX_OTHERS:
            return None
        try:
            self._decoder = self._decoder_for([*self._others, *names])
        except ValueError:
            # A name that cannot be one of a type's.
            return None
        self._others += names
        return self._decoder

    def _decoder_for(self, others: list[str]) -> Decoder:
        """Raises ValueError for names that cannot be those of a type."""
        required: dict[str, Any] = {"messages": _MESSAGES, "label": str | int}
        fields: list[tuple[str, Any] | tuple[str, Any, Any]] = [
            (field, required.get(field, str)) for field in self._layout.required
        ]
        optional = [field for field in self._columns if field not in self._layout.required]
        fields += [(field, _MARK if field in MARKS else _OPTIONAL, msgspec.UNSET) for field in optional]
        fields += [(_other(number), _OTHER, msgspec.UNSET) for number in range(len(others))]
        names = self._columns | {_other(number): name for number, name in enumerate(others)}
        row = msgspec.defstruct("Row", fields, rename=names, forbid_unknown_fields=True, kw_only=True, gc=False)
        return msgspec.json.Decoder(row)

    def _other_columns(self, rows: list[Any]) -> dict[str, Column] | None:
        """The columns that nothing is read from; None if one of them holds what is not JSON, or a key twice."""
        others: dict[str, Column] = {name: _values(rows, _other(number)) for number, name in enumerate(self._others)}
        for values in others.values():
            given = _given(values)
            try:
                found = jiter.from_json(b"[%b]" % b",".join(given), allow_inf_nan=False, catch_duplicate_keys=True)
            except ValueError:
                return None
            if len(found) != len(given):
                return None
        return others

    def _fields(self, rows: list[Any]) -> dict[str, Column]:
        """The fields that some row has, and those that all of them need."""
        fields = {field: _values(rows, field) for field in self._columns}
        return {
            field: values
            for field, values in fields.items()
            if field in self._layout.required or values.count(msgspec.UNSET) < len(values)
        }

    def _quotes_beside(self, fields: Mapping[str, Column]) -> int:
        """How many more quotation marks the lines have than the conversations, but for other columns."""
        quotes = 0
        messages = 0
        for field, values in fields.items():
            kinds = Counter(map(type, values))
            quotes += 2 * (len(values) - kinds[msgspec.UnsetType]) + 2 * kinds[str]
            if field in MARKS and field not in self._layout.required:
                quotes += "".join([value for value in values if isinstance(value, str)]).count('"')
            if field == "system":
                messages += sum(map(bool, values))
        if "messages" not in self._layout.required:
            messages += 2 * len(fields[self._layout.required[0]])
        return quotes - MESSAGE_QUOTES * messages


def whole_lines(data: bytes) -> list[Line]:
    """(number, line) of those that are not blank."""
    return [line for line in enumerate(data.split(b"\n"), 1) if line[1] and not line[1].isspace()]


def _other(number: int) -> str:
    return f"other_{number}"


def _values(rows: list[Any], name: str) -> list[Any]:
    return list(map(attrgetter(name), rows))


def _given(values: Column) -> Column:
    if msgspec.UNSET not in values:
        return values
    return [value for value in values if value is not msgspec.UNSET]


def _quotes_in_other(values: Column) -> int:
    """Those of a column's names and values."""
    given = _given(values)
    return 2 * len(given) + quotes_in(b"".join(given))
