"""From a row as the file has it to a canonical one."""

import hashlib
from typing import Any

import msgspec

from corpora.ingest.contracts import MAX_NAME_LENGTH, Message, Row, Split
from corpora.ingest.layouts import Layout, Raw, check_characters, detect_layout, missing_columns
from corpora.ingest.problems import RowProblem, shown

SPLITS: dict[str, Split] = {"train": "train", "test": "test", "validation": "test"}
MARKS = ("split", "slice", "label")
DEFAULT_SLICE = "all"

_encoder = msgspec.json.Encoder()


class Canonical:
    """Turns rows of one file, whose first readable row decides the layout, into canonical ones."""

    def __init__(self, *, max_row_bytes: int) -> None:
        self.max_row_bytes = max_row_bytes
        self.layout: Layout | None = None
        self.unused: set[str] = set()

    def row(self, raw: Any) -> Row:
        """The canonical row; raises RowProblem."""
        if not isinstance(raw, dict):
            raise RowProblem("data_type", "", "A row must be an object: {…} with named fields.")
        if self.layout is None:
            self.layout = detect_layout(raw)
        if self.layout is None:
            raise missing_columns(raw)
        messages = self.layout.messages(raw)
        row = Row(row_id(messages), messages, _split(raw), _name(raw, "slice") or DEFAULT_SLICE, _name(raw, "label"))
        if len(_encoder.encode(row)) > self.max_row_bytes:
            raise too_long(self.max_row_bytes)
        self._note_unused(raw, self.layout)
        return row

    def _note_unused(self, raw: Raw, layout: Layout) -> None:
        if len(self.unused) < 20:
            known = {*layout.required, *layout.optional, *MARKS}
            self.unused.update(shown(key) for key in raw if key not in known)


def row_id(messages: tuple[Message, ...]) -> str:
    """32 hexadecimal digits that name a conversation."""
    return hashlib.sha256(_encoder.encode(messages)).hexdigest()[:32]


def too_long(max_row_bytes: int) -> RowProblem:
    """A row over the limit."""
    limit = f"{max_row_bytes / 2**20:g} MiB" if max_row_bytes >= 2**20 else f"{max_row_bytes:,} bytes"
    text = f"The row is longer than {limit}. Shorten it, or check that every row ends with a line break."
    return RowProblem("dataset:row_too_long", "", text)


def _split(raw: Raw) -> Split | None:
    name = _name(raw, "split")
    if name is None:
        return None
    if name.lower() not in SPLITS:
        text = f"“{shown(name)}” is not a split. Use train, test or validation, or leave it out."
        raise RowProblem("dataset:unknown_split", "split", text)
    return SPLITS[name.lower()]


def _name(raw: Raw, field: str) -> str | None:
    """A short name; numbers and truth values are taken as they are written."""
    value = raw.get(field)
    if value is None:
        return None
    if isinstance(value, bool):
        return str(value).lower()
    if not isinstance(value, str | int):
        raise RowProblem("data_type", field, f"“{field}” must be a short text.")
    name = str(value).strip()
    if len(name) > MAX_NAME_LENGTH:
        text = f"“{field}” is a name of at most {MAX_NAME_LENGTH} characters, not a text."
        raise RowProblem("data_type", field, text)
    check_characters(name, field)
    return name or None
