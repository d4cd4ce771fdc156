"""What a layout of rows is, and how the texts in them are read."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from corpora.ingest.contracts import LayoutName, Turn
from corpora.ingest.problems import RowProblem, kind_of

Raw = Mapping[Any, Any]
"""A row's values by field."""


def any_row(raw: Raw) -> bool:
    """For layouts that the names of their fields tell."""
    return True


@dataclass(frozen=True)
class Layout:
    """How rows with certain columns become conversations.

    A row is in the layout if it has all `required` fields and `fits`; `optional` ones are read too. A field is read
    from the column of its name, or else from one of its `aliases`. `turns` makes the conversation and raises
    RowProblem. Values may be None in `fits`: where only the names of the columns are known.

    In most layouts, whole columns can be read at once: lists of turns with two keys, `turn_keys`, or pairs of texts in
    the two required fields. The rows of others, without `by_column`, are read one by one.
    """

    name: LayoutName
    required: tuple[str, ...]
    optional: tuple[str, ...]
    turns: Callable[[Raw], Sequence[Turn]]
    fits: Callable[[Raw], bool] = any_row
    aliases: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    turn_keys: tuple[str, str] = ("role", "content")
    by_column: bool = True
    is_preference: bool = False
    label_is_mark: bool = True

    @property
    def fields(self) -> tuple[str, ...]:
        """All fields that a conversation is made from."""
        return self.required + self.optional


def text_of(value: Any, field: str, *, code: str = "dataset:missing_field") -> str:
    """The value as text. Raises RowProblem if it is not usable text."""
    if value is None:
        raise RowProblem(code, field, f"“{field}” is missing. Add it, or remove the row.")
    if not isinstance(value, str):
        wrong = "missing_content" if code == "missing_content" else "data_type"
        text = f"“{field}” is {kind_of(value)}. Save it as text; in JSON, put it in quotes."
        raise RowProblem(wrong, field, text)
    if not value.strip():
        raise RowProblem(code, field, f"“{field}” is empty. Fill it in, or remove the row.")
    check_characters(value, field)
    return value


def check_characters(value: str, field: str) -> None:
    """Raises RowProblem for text that a database or tokenizer cannot store."""
    if "\0" in value:
        raise RowProblem("dataset:nul_character", field, "The text contains an invalid character (NUL). Remove it.")
    try:
        value.encode()
    except UnicodeEncodeError:
        text = "The text contains an invalid character (a lone surrogate). Enter or export it again."
        raise RowProblem("dataset:encoding", field, text) from None
