"""Chooses the rows that people see first, cut to a size for a page."""

import msgspec

from corpora.ingest.contracts import Message, Row

ROWS: dict[str | None, int] = {"train": 8, "test": 4}
MAX_MESSAGES = 12
MAX_CHARACTERS = 2000


class Preview:
    """The first rows of each split, in the file's order."""

    def __init__(self) -> None:
        self._left = dict(ROWS)
        self.rows: list[Row] = []

    def add(self, row: Row) -> None:
        """`row` has its split."""
        if self._left[row.split] > 0:
            self._left[row.split] -= 1
            self.rows.append(_cut(row))


def _cut(row: Row) -> Row:
    messages = row.messages
    if len(messages) > MAX_MESSAGES:
        messages = (*messages[: MAX_MESSAGES - 1], messages[-1])
    return msgspec.structs.replace(row, messages=tuple(Message(m.role, _shorten(m.content)) for m in messages))


def _shorten(text: str) -> str:
    return text if len(text) <= MAX_CHARACTERS else f"{text[:MAX_CHARACTERS]}…"
