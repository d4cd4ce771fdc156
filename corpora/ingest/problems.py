"""Problems that make a row or a whole file unusable."""

from datetime import date, time, timedelta
from decimal import Decimal
from typing import Any

from corpora.ingest.contracts import Problem

SHOWN_CHARACTERS = 40


class RowProblem(Exception):
    """One row cannot be used. Reading continues."""

    def __init__(self, code: str, field: str, text: str) -> None:
        super().__init__(code)
        self.code = code
        self.field = field
        self.text = text

    def at(self, line: int) -> Problem:
        """The problem as it is reported."""
        return Problem(line=line, field=self.field, code=self.code, text=self.text)


class FileProblem(RowProblem):
    """The file cannot be read, or not beyond `line`."""

    def __init__(self, code: str, text: str, *, line: int = 0, field: str = "") -> None:
        super().__init__(code, field, text)
        self.line = line


def shown(value: Any) -> str:
    """A customer's value, safe to store and short enough to quote."""
    text = str(value).encode("utf-8", "replace").decode().replace("\0", "?")
    return text if len(text) <= SHOWN_CHARACTERS else f"{text[: SHOWN_CHARACTERS - 1]}…"


def kind_of(value: Any) -> str:
    """The type of a value other than text, in words."""
    for kinds, words in _KINDS:
        if isinstance(value, kinds):
            return words
    return "a value of another kind"


_KINDS: tuple[tuple[type | tuple[type, ...], str], ...] = (
    (bool, "true or false"),
    ((int, float, Decimal), "a number"),
    (list, "a list"),
    (dict, "an object"),
    (bytes, "binary data"),
    ((date, time, timedelta), "a date or time"),
)


def joined(values: Any) -> str:
    """Up to eight of a customer's names as one phrase."""
    names = [shown(value) for value in values]
    return ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")
