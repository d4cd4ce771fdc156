"""Columns of many rows for one statement.

Each goes as one text that the database takes apart: an array parameter would be quoted value by value, which takes
longer than the statement. COPY, which would be faster yet, knows no row-level security.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import connection, models

BETWEEN, NULL = "\x1f", "\x1e"
"""Control characters that no value has; `is_plain` says whether a text can be sent."""

LOOKED_AT = {type(None), bytes}


def is_plain(text: str) -> bool:
    """Whether a text has none of the characters that arrays are sent with, nor NUL, which no column takes."""
    return text.isprintable() or not any(character in text for character in (BETWEEN, NULL, "\0"))


def unnested(model: type[models.Model], columns: Mapping[str, Sequence[Any]]) -> tuple[str, list[str]]:
    """`unnest(...)` of columns of a model, named as its table's, and its parameters. No column may be empty."""
    types = {field.column: field.db_type(connection) for field in model._meta.local_concrete_fields}
    texts = {name: _joined(values) for name, values in columns.items()}
    # Of an empty text, which is that of one empty value, the database would make no value.
    sent = {name: "string_to_array(%s, E'\\x1f', E'\\x1e')" if text else "ARRAY['']" for name, text in texts.items()}
    arrays = ", ".join(f"{array}::{types[name]}[]" for name, array in sent.items())
    return f"unnest({arrays})", [text for text in texts.values() if text]


def _joined(values: Sequence[Any]) -> str:
    """Most columns are of one type, for which nothing has to be looked at value by value."""
    kinds = set(map(type, values))
    if kinds == {str}:
        return BETWEEN.join(values)
    return BETWEEN.join(map(_text if kinds & LOOKED_AT else str, values))


def _text(value: Any) -> str:
    if value is None:
        return NULL
    if isinstance(value, bytes):
        return f"\\x{value.hex()}"
    return value if type(value) is str else str(value)
