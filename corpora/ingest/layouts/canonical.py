"""Converts a row of the file to messages and marks."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from corpora.ingest.batch import DEFAULT_SLICE, NO_MARKS, Marks, Metadata
from corpora.ingest.contracts import MAX_NAME_LENGTH, Options, Split, Turn
from corpora.ingest.layouts.known import MARKS, missing_columns
from corpora.ingest.layouts.layout import Layout, Raw, check_characters
from corpora.ingest.layouts.tools import read_tools
from corpora.ingest.metadata import NESTED, kept_values
from corpora.ingest.problems import RowProblem, kind_of, shown

TRAINING, HELD_OUT = ("train", "training"), ("test", "validation", "valid", "val", "dev", "eval", "evaluation")
SPLITS: dict[str, Split] = {**dict.fromkeys(TRAINING, "train"), **dict.fromkeys(HELD_OUT, "test")}


class CanonicalRow(NamedTuple):
    """A row as it is stored: its turns, its tools as JSON (empty if there are none) and its marks.

    `notices` are codes of what the customer should know about it.
    """

    messages: list[Turn]
    tools: bytes
    marks: Marks
    notices: tuple[str, ...] = ()


class Canonical:
    """Reads rows of one `layout`. `columns` maps a field to a column of the file (see contracts.FIELDS).

    The columns in `kept` are kept with the row for filtering.
    """

    def __init__(
        self,
        layout: Layout | None,
        columns: Mapping[str, str],
        options: Options | None = None,
        kept: Sequence[str] = (),
    ) -> None:
        options = options or Options()
        self.layout = layout
        self.columns = dict(columns)
        self.kept = tuple(kept)
        self._drops_reasoning = options.reasoning == "drop"
        self._is_sure = bool(options.layout)
        self._known = {*layout.required, *layout.optional, *MARKS} if layout else set()
        self._renamed = set(self.columns.values())

    def read(self, raw: Any) -> CanonicalRow:
        """A row of the file. Raises RowProblem."""
        if not isinstance(raw, Mapping):
            raise RowProblem("data_type", "", "A row must be an object: {…} with named fields.")
        metadata = kept_values(raw, self.kept) if self.kept else ()
        if self.columns:
            raw = self._rename(raw)
        if self.layout is None:
            raise missing_columns(raw)
        try:
            messages = list(self.layout.turns(raw))
            tools = read_tools(raw.get("tools")) if "tools" in self.layout.optional else b""
        except RowProblem as problem:
            raise self._as_in_the_file(problem) from None
        notices = tuple(self._notices(messages, tools))
        if self._drops_reasoning and "dataset:reasoning" in notices:
            messages = [msgspec.structs.replace(turn, reasoning_content="") for turn in messages]
        return CanonicalRow(messages, tools, self.marks(raw, metadata), notices)

    def _as_in_the_file(self, problem: RowProblem) -> RowProblem:
        """The problem with the name of the customer's column where the text names the field."""
        column = self.columns.get(problem.field)
        if column is None:
            return problem
        return RowProblem(problem.code, problem.field, problem.text.replace(f"“{problem.field}”", f"“{shown(column)}”"))

    def _notices(self, messages: list[Turn], tools: bytes) -> Iterable[str]:
        if tools or any(turn.tool_calls or turn.role == "tool" for turn in messages):
            yield "dataset:uses_tools"
        if any(not turn.weight for turn in messages):
            yield "dataset:not_learnt"
        if any(turn.reasoning_content for turn in messages):
            yield "dataset:reasoning"
        if not any(turn.content for turn in messages[:-1]):
            yield "dataset:empty_prompt"

    def marks(self, raw: Raw, metadata: Metadata = ()) -> Marks:
        """The marks of a row by field. Raises RowProblem."""
        group = _name(raw, "group") if "group" in self.columns else None
        split, name, label = _split(raw), _name(raw, "slice"), self._label(raw)
        if split is name is label is group is None and not metadata:
            return NO_MARKS
        return Marks(split=split, slice=name or DEFAULT_SLICE, label=label, group=group, metadata=metadata)

    def _label(self, raw: Raw) -> str | None:
        if self.layout and self.layout.is_preference:
            return None
        if isinstance(raw.get("label"), bool) and self.layout and self.layout.label_is_mark and not self._is_sure:
            text = "“label” is true or false, as in preference data (KTO). Set the layout, or remove the column."
            raise RowProblem("dataset:preference_data", "label", text)
        return _name(raw, "label")

    def column_of(self, field: str) -> str | None:
        """The column that a field is read from, or None if the column of its name is mapped to another field."""
        if field in self.columns:
            return self.columns[field]
        return None if field in self._renamed or field == "group" else field

    def unused(self, names: Iterable[Any]) -> set[str]:
        """The named columns of a row that are not used."""
        read = {*self._renamed, *self.kept, *((NESTED,) if self.kept else ())}
        unread = (key for key in names if key not in read and (key not in self._known or key == "group"))
        return {shown(key) for key in unread if key}

    def used(self, names: Iterable[Any]) -> set[str]:
        """The named columns that a row is read from, so that they are not kept for filtering."""
        return {*self._renamed, *(name for name in names if name in self._known and name != "group")}

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
