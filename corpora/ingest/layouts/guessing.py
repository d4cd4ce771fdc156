"""Guesses what the columns of a file hold, by their values and by parts of their names.

Only an inspection guesses like this, to propose columns that a person then confirms.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from corpora.ingest.contracts import LayoutName
from corpora.ingest.layouts.turns import notation

ASKED = ("frage", "question", "pregunta", "consulta", "domanda", "demande", "pytanie", "vraag", "query", "prompt")
ANSWERED = (
    "antwort",
    "respuesta",
    "réponse",
    "reponse",
    "risposta",
    "odpowied",
    "antwoord",
    "answer",
    "reply",
    "respon",
)
CLASSES = ("label", "class", "klass", "clase", "categ", "kateg", "topic", "thema", "tema", "intent", "sentiment")
"""Parts of names in the languages of many customers. Where names say nothing, the values decide."""

TEXT_WORDS = 2.5
"""Words that a text has on average; names of people and places have fewer."""

LABEL_CHARACTERS = 40
FEWEST_ROWS = 4
"""Rows that are needed before a repeated value counts as repeated."""


@dataclass(frozen=True, kw_only=True)
class Column:
    """A column of `rows` rows with its values as `texts`, without the empty ones."""

    name: str
    rows: int
    texts: Sequence[str]

    def is_called(self, parts: Iterable[str]) -> bool:
        """Whether the name contains one of `parts`."""
        return any(part in self.name.casefold() for part in parts)

    @property
    def length(self) -> float:
        """Characters of a value, on average."""
        return sum(map(len, self.texts)) / len(self.texts)

    @property
    def distinct(self) -> int:
        return len(set(self.texts))

    @property
    def asks(self) -> float:
        """Share of the values with a question mark, 0..1."""
        return sum("?" in text or "？" in text or "؟" in text for text in self.texts) / len(self.texts)

    @property
    def has_letters(self) -> bool:
        """Whether at least half of the characters are letters or spaces: dates, numbers and codes have fewer."""
        characters = "".join(self.texts)
        return sum(character.isalpha() or character.isspace() for character in characters) * 2 >= len(characters)

    @property
    def is_text(self) -> bool:
        words = sum(len(text.split()) for text in self.texts) / len(self.texts)
        repeats = self.rows >= FEWEST_ROWS and self.distinct * 2 < len(self.texts)
        return words >= TEXT_WORDS and self.has_letters and not repeats

    @property
    def is_label(self) -> bool:
        repeats = self.rows >= FEWEST_ROWS and 1 < self.distinct <= len(self.texts) / 2
        return repeats and max(map(len, self.texts)) <= LABEL_CHARACTERS


def propose(rows: Sequence[Mapping[Any, Any]], layout: LayoutName = "") -> dict[str, str]:
    """The column of each field that the first `rows` of a file suggest; empty if they suggest none.

    With a `layout`, only its fields are proposed.
    """
    if layout in ("", "chat", "ShareGPT"):
        talk = next((name for row in rows for name, value in row.items() if name and _is_conversation(value)), None)
        if talk or layout:
            return {"messages": talk} if talk else {}
    columns = list(_columns(rows))
    if layout in ("", "prompt and completion"):
        pair = _pair(columns)
        if pair or layout:
            return dict(zip(("prompt", "completion"), pair, strict=True)) if pair else {}
    if layout in ("", "classification"):
        return _classes(columns)
    return {}


def _columns(rows: Sequence[Mapping[Any, Any]]) -> Iterable[Column]:
    """The columns of texts and whole numbers of which at least half of the rows have a value."""
    for name in dict.fromkeys(name for row in rows for name in row if isinstance(name, str) and name):
        values = [value for row in rows if (value := row.get(name)) not in (None, "")]
        if len(values) * 2 < len(rows) or not all(isinstance(value, str | int) for value in values):
            continue
        if not any(isinstance(value, bool) for value in values):
            yield Column(name=name, rows=len(rows), texts=[str(value) for value in values])


def _pair(columns: Sequence[Column]) -> tuple[str, str] | None:
    """The columns of questions and of answers."""
    named = [column for column in columns if column.has_letters]
    asked = next((column for column in named if column.is_called(ASKED) and not column.is_called(ANSWERED)), None)
    answered = next((column for column in named if column.is_called(ANSWERED) and column is not asked), None)
    texts = sorted(
        (column for column in columns if column.is_text and column not in (asked, answered)),
        key=lambda column: -column.length,
    )
    if asked is None and answered is None:
        if len(texts) < 2:
            return None
        first, second = sorted(texts[:2], key=columns.index)
        asked, answered = (second, first) if second.asks > first.asks else (first, second)
    elif asked is None or answered is None:
        if not texts:
            return None
        asked, answered = asked or texts[0], answered or texts[0]
    return asked.name, answered.name


def _classes(columns: Sequence[Column]) -> dict[str, str]:
    """The column of texts and that of their labels."""
    texts = [column for column in columns if column.is_text]
    labels = [column for column in columns if column.is_label and column not in texts]
    if not texts or not labels:
        return {}
    label = max(labels, key=lambda column: (column.is_called(CLASSES), column.has_letters, columns.index(column)))
    return {"text": max(texts, key=lambda column: column.length).name, "label": label.name}


def _is_conversation(value: Any) -> bool:
    if isinstance(value, str) and value.lstrip().startswith("["):
        try:
            value = msgspec.json.decode(value)
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            return False
    return isinstance(value, list) and bool(notation(value))
