"""The built-in questions: per kind of criterion, answers whose grade is known and which try to mislead.

sets/*.yaml hold a criterion and its questions, attacks.yaml the texts that are the same for every question.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from evaluations.judges.prompts import Criterion

FOLDER = Path(__file__).parent

NEEDED = frozenset({"id", "question", "expected", "reworded", "partly", "wrong", "foreign"})
BOTH_OR_NEITHER = frozenset({"terse", "padded"})
"""Right and short, right and long-winded: left out where the question itself limits the length."""

OTHER = frozenset({"id", "question", "expected"})


class WrongSet(ValueError):
    """A file of questions is not as it should be; the text says where."""


@dataclass(frozen=True, kw_only=True)
class Item:
    """A question, its expected answer, and `answers` by what is right or wrong with them.

    terse, reworded, padded: right and short, in other words, long-winded. partly: a part is right. wrong: well written
    and wrong. foreign: right, in another language than the question.
    """

    id: str
    question: str
    expected: str
    answers: Mapping[str, str]

    @property
    def right(self) -> str:
        """The kind of the plainest right answer."""
        return "terse" if "terse" in self.answers else "reworded"


@dataclass(frozen=True, kw_only=True)
class ItemSet:
    """The questions of one kind of criterion."""

    name: str
    criterion: Criterion
    items: tuple[Item, ...]


@dataclass(frozen=True, kw_only=True)
class Attacks:
    """Wordings that ask for the best grade, around `{answer}`, and answers that fit no question."""

    injections: tuple[str, ...]
    constant: tuple[str, ...]


@cache
def item_sets() -> tuple[ItemSet, ...]:
    """Every set, by name. Raises WrongSet."""
    return tuple(_set(path.stem, _read(path)) for path in sorted((FOLDER / "sets").glob("*.yaml")))


@cache
def attacks() -> Attacks:
    """The texts that are the same for every question."""
    content = _read(FOLDER / "attacks.yaml")
    return Attacks(injections=tuple(content["injections"]), constant=tuple(content["constant"]))


@cache
def digest() -> str:
    """Identifies questions and answers: figures of the same ones may be compared."""
    paths = [FOLDER / "attacks.yaml", *sorted((FOLDER / "sets").glob("*.yaml"))]
    return hashlib.sha256(b"".join(path.read_bytes() for path in paths)).hexdigest()


def _read(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return content


def _set(name: str, content: Mapping[str, Any]) -> ItemSet:
    items = tuple(_item(name, one) for one in content["items"])
    if len({item.id for item in items}) < len(items):
        raise WrongSet(f"{name}: two questions have the same id")
    return ItemSet(name=name, criterion=Criterion(**content["criterion"]), items=items)


def _item(name: str, content: Mapping[str, Any]) -> Item:
    where = f"{name}/{content.get('id')}"
    wrong = (content.keys() ^ NEEDED) - BOTH_OR_NEITHER
    if wrong or len(content.keys() & BOTH_OR_NEITHER) == 1:
        raise WrongSet(f"{where}: missing or unknown: {', '.join(sorted(map(str, wrong))) or 'terse or padded'}")
    for field, text in content.items():
        if not isinstance(text, str) or not text.strip():
            raise WrongSet(f"{where}: {field} is not a text")
    texts = {field: text.strip() for field, text in content.items()}
    answers = {field: text for field, text in texts.items() if field not in OTHER}
    return Item(id=texts["id"], question=texts["question"], expected=texts["expected"], answers=answers)
