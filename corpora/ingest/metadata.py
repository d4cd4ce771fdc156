"""Columns that are kept with a row for filtering. No model reads them, and they do not tell rows apart."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from corpora.ingest.batch import Metadata
from corpora.ingest.contracts import MAX_KEPT_COLUMNS, MAX_NAME_LENGTH
from corpora.ingest.texts.personal import find_personal_data

NESTED = "metadata"
"""An object whose fields count as columns of their row."""

LONGEST_CATEGORY = 40
MOST_CATEGORIES = 50
FEWEST_ROWS = 4
"""Values that are needed before a repeated one counts as repeated."""

IDENTIFYING = frozenset({
    "id", "ids", "uuid", "guid", "key", "hash", "sha", "sha256", "md5", "url", "uri", "link", "href", "path", "file",
    "email", "mail", "phone", "tel", "mobile", "address", "adresse", "ip", "iban", "row", "line",
})  # fmt: skip
"""Words in the names of columns that hold ids or addresses."""

_WORDS = re.compile(r"[A-Z]?[a-z0-9]+|[A-Z]+")


def short_text(value: Any) -> str:
    """A value as it is kept: true, false and numbers as written, texts cut short; empty for lists and objects."""
    if value is None or isinstance(value, list | dict | bytes):
        return ""
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return text.encode("utf-8", "replace").decode().replace("\0", "�").strip()[:MAX_NAME_LENGTH].rstrip()


def kept_values(raw: Mapping[Any, Any], columns: Sequence[str]) -> Metadata:
    """What a row of the file has in `columns`."""
    found = ((column, short_text(value_of(raw, column))) for column in columns)
    return tuple((short_text(column), text) for column, text in found if text)


def value_of(raw: Mapping[Any, Any], column: str) -> Any:
    """The value of a column, or of a field of the row's metadata."""
    if column in raw:
        return raw[column]
    nested = raw.get(NESTED)
    return nested.get(column) if isinstance(nested, Mapping) else None


def keepable_columns(rows: Iterable[Mapping[Any, Any]], used: Iterable[str]) -> list[str]:
    """The columns of `rows` that are not used and hold texts, numbers, true or false, in order."""
    taken = {*used}
    names: dict[str, None] = {}
    for raw in rows:
        nested = raw.get(NESTED)
        for name in (*raw, *(nested if isinstance(nested, Mapping) else ())):
            # A name that would be changed to be stored is not offered.
            if not isinstance(name, str) or name in taken or name != short_text(name):
                continue
            if short_text(value_of(raw, name)):
                names[name] = None
    return list(names)


def guess_kept(rows: Sequence[Mapping[Any, Any]], used: Iterable[str]) -> tuple[str, ...]:
    """The columns that hold a few short values, such as a topic or a country; ids, addresses and texts do not."""
    columns = keepable_columns(rows, used)
    return tuple([name for name in columns if _is_category(name, rows)][:MAX_KEPT_COLUMNS])


def _is_category(name: str, rows: Sequence[Mapping[Any, Any]]) -> bool:
    if IDENTIFYING & {word.lower() for word in _WORDS.findall(name)}:
        return False
    values = [value_of(raw, name) for raw in rows]
    texts = [text for value in values if (text := short_text(value))]
    different = set(texts)
    if len(texts) < FEWEST_ROWS or len(different) > min(len(texts) / 2, MOST_CATEGORIES):
        return False
    if any(isinstance(value, float) for value in values) or max(map(len, different)) > LONGEST_CATEGORY:
        return False
    return not any("://" in text or find_personal_data(text) for text in different)
