"""The known layouts, and which of them a file has."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from corpora.ingest.layouts.chat import CHAT
from corpora.ingest.layouts.classification import CLASSIFICATION
from corpora.ingest.layouts.exchanges import EXCHANGES
from corpora.ingest.layouts.instruction import INSTRUCTION, WITH_MORE
from corpora.ingest.layouts.kto import KTO
from corpora.ingest.layouts.layout import Layout
from corpora.ingest.layouts.preference import PREFERENCE
from corpora.ingest.layouts.prompt_completion import PROMPT_COMPLETION
from corpora.ingest.layouts.sharegpt import SHAREGPT
from corpora.ingest.layouts.transcript import TRANSCRIPT
from corpora.ingest.layouts.unsupported import unsupported
from corpora.ingest.problems import RowProblem, joined

LAYOUTS = (
    PREFERENCE, *KTO, CHAT, SHAREGPT, EXCHANGES, INSTRUCTION, *WITH_MORE, PROMPT_COMPLETION, CLASSIFICATION, TRANSCRIPT,
)  # fmt: skip
"""In the order in which they are looked for: those that would be mistaken for another come first."""

PREFERENCES = frozenset(layout.name for layout in LAYOUTS if layout.is_preference)
MARKS = ("split", "slice", "label", "group")
EXPECTED = "messages, or prompt and completion, or instruction and output (and perhaps input), or text and label"

UNREADABLE = "“messages” is not a list of turns with role and content. Write it as a list, or as JSON in a text."


class Recognised(NamedTuple):
    """The layout of a file, if any, and the column of each field that is not read from the column of its own name.

    `guessed` are the fields whose column has another name and was not chosen by the customer.
    """

    layout: Layout | None
    columns: Mapping[str, str]
    guessed: tuple[str, ...] = ()


def recognise(row: Mapping[Any, Any], columns: Mapping[str, str], name: str = "") -> Recognised:
    """The layout of a row by column, whose values are None where only the names are known.

    `columns` are the customer's own, and so is the layout's `name`. Columns with a field's own name come first.
    """
    candidates = [layout for layout in LAYOUTS if name in ("", layout.name)]
    spelled = {key.casefold(): key for key in reversed(list(row)) if isinstance(key, str)}
    for known_by_name in (True, False):
        for layout in candidates:
            found = _columns(layout, row, spelled, columns, () if known_by_name else layout.required)
            if found is not None and layout.fits(_by_field(layout, row, found)):
                guessed = tuple(field for field in found if field not in columns)
                return Recognised(layout, found, guessed)
    return Recognised(candidates[0] if name else None, columns)


def detect_layout(names: Iterable[Any]) -> Layout | None:
    """The layout that columns of these names have."""
    return recognise(dict.fromkeys(names), {}).layout


def missing_columns(keys: Iterable[Any]) -> RowProblem:
    """The problem of keys that match no layout: one is missing, or all are unknown."""
    present = list(keys)
    if text := unsupported(set(present)):
        return RowProblem("data_type", "", text)
    if "text" in present:
        text = (
            "Rows have “text”, but no label. To classify texts, add the column “label”. To learn answers, split the "
            "text into the columns “prompt” and “completion”, or into a list “messages”."
        )
        return RowProblem("dataset:missing_field", "label", text)
    for layout in (CHAT, PROMPT_COMPLETION, INSTRUCTION, CLASSIFICATION):
        lacking = [name for name in layout.required if name not in present]
        if len(lacking) < len(layout.required):
            first = next(name for name in layout.required if name in present)
            if not lacking:
                return RowProblem("data_type", first, UNREADABLE)
            text = f"“{lacking[0]}” is missing. Rows with “{first}” need it too. Add it, or map a column to it."
            return RowProblem("dataset:missing_field", lacking[0], text)
    named = f"It has: {joined(present)}. Rename its columns, or map them." if present else "It has none."
    return RowProblem("missing_messages_list", "messages", f"A row needs {EXPECTED}. {named}")


def _columns(
    layout: Layout,
    row: Mapping[Any, Any],
    spelled: Mapping[str, str],
    columns: Mapping[str, str],
    by_alias: Iterable[str],
) -> dict[str, str] | None:
    """The columns whose names are not their fields', or None if a required field has none.

    `spelled` are the row's columns by their names in lower case. Aliases count for optional fields, and for those of
    the required that are named.
    """
    found, taken = dict(columns), set(columns.values())
    for field in layout.fields:
        if field in found or (field in row and field not in taken):
            taken.add(found.get(field, field))
            continue
        by_other = field in by_alias or field not in layout.required
        names = (field, *(layout.aliases.get(field, ()) if by_other else ()))
        column = next((spelled[name] for name in names if name in spelled and spelled[name] not in taken), None)
        if column is not None:
            found[field] = column
            taken.add(column)
        elif field in layout.required:
            return None
    return found


def _by_field(layout: Layout, row: Mapping[Any, Any], columns: Mapping[str, str]) -> Mapping[str, Any]:
    return {field: row.get(columns.get(field, field)) for field in layout.fields}
