"""The cases of the corpus."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, kw_only=True)
class BadFile:
    """A file that is refused with `code` as its first problem, on `line` (None: anywhere).

    `options` are the customer's, `limits` further fields of the check's spec.
    """

    content: bytes
    code: str
    line: int | None = None
    options: dict[str, Any] = field(default_factory=dict)
    limits: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class ReadRow:
    """An expected row: (role, content) of each turn, with slice, label and split."""

    turns: tuple[tuple[str, str], ...]
    slice: str = "all"
    label: str | None = None
    split: str = ""


@dataclass(frozen=True, kw_only=True)
class GoodFile:
    """A file that is accepted with exactly these rows, in any order. An empty `split` allows either split."""

    content: bytes
    rows: list[ReadRow]
    options: dict[str, Any] = field(default_factory=dict)
    limits: dict[str, Any] = field(default_factory=dict)
