"""Converts a row of the file to messages and marks."""

from collections.abc import Iterable, Mapping
from typing import Any

from corpora.ingest.batch import DEFAULT_SLICE, NO_MARKS, Marks
from corpora.ingest.contracts import MAX_NAME_LENGTH, Message, Split
from corpora.ingest.layouts.known import Layout, Raw, check_characters, missing_columns
from corpora.ingest.problems import RowProblem, kind_of, shown

SPLITS: dict[str, Split] = {"train": "train", "test": "test", "validation": "test"}
MARKS = ("split", "slice", "label", "group")


class Canonical:
    """Reads rows of one `layout`. `columns` maps a field to a column of the file (see contracts.FIELDS)."""

    def __init__(self, layout: Layout | None, columns: Mapping[str, str]) -> None:
        self.layout = layout
        self.columns = dict(columns)
        self._known = {*layout.required, *layout.optional, *MARKS} if layout else set()
        self._renamed = set(self.columns.values())

    def read(self, raw: Any) -> tuple[list[Message], Marks]:
        """Messages and marks of a row. Raises RowProblem."""
        if not isinstance(raw, dict):
            raise RowProblem("data_type", "", "A row must be an object: {…} with named fields.")
        if self.columns:
            raw = self._rename(raw)
        if self.layout is None:
            raise missing_columns(raw)
        return list(self.layout.messages(raw)), self.marks(raw)

    def marks(self, raw: Raw) -> Marks:
        """The marks of a row by field. Raises RowProblem."""
        group = _name(raw, "group") if "group" in self.columns else None
        split, name, label = _split(raw), _name(raw, "slice"), _name(raw, "label")
        if split is name is label is group is None:
            return NO_MARKS
        return Marks(split=split, slice=name or DEFAULT_SLICE, label=label, group=group)

    def column_of(self, field: str) -> str | None:
        """The column that a field is read from, or None if the column of its name is mapped to another field."""
        if field in self.columns:
            return self.columns[field]
        return None if field in self._renamed or field == "group" else field

    def unused(self, names: Iterable[Any]) -> set[str]:
        """The named columns of a row that are not used."""
        unread = (key for key in names if key not in self._renamed and (key not in self._known or key == "group"))
        return {shown(key) for key in unread if key}

    def _rename(self, raw: Raw) -> dict[Any, Any]:
        """The row by field. A mapped column is used for its field only."""
        kept = {key: value for key, value in raw.items() if key not in self._renamed and key not in self.columns}
        return kept | {field: raw[column] for field, column in self.columns.items() if column in raw}


def _split(raw: Raw) -> Split | None:
    name = _name(raw, "split")
    if name is None:
        return None
    if name.lower() not in SPLITS:
        text = f"“{shown(name)}” is not a split. Use train, test or validation, or remove the value."
        raise RowProblem("dataset:unknown_split", "split", text)
    return SPLITS[name.lower()]


def _name(raw: Raw, field: str) -> str | None:
    """A short name. Numbers and true or false are accepted as written."""
    value = raw.get(field)
    if value is None:
        return None
    if isinstance(value, bool):
        return str(value).lower()
    if not isinstance(value, str | int):
        raise RowProblem("data_type", field, f"“{field}” is {kind_of(value)}. It must be a short text.")
    name = str(value).strip()
    if len(name) > MAX_NAME_LENGTH:
        text = f"“{field}” is too long. Use a name of at most {MAX_NAME_LENGTH} characters."
        raise RowProblem("data_type", field, text)
    check_characters(name, field)
    return name or None
