"""A statement as data. A closed one is this document, so it is the same whenever it is rendered again."""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Self

from evaluations.models import PaidTo
from metering.models import StatementState
from metering.statements.parts.lines import ADJUSTMENT, Line

VERSION = 1
CURRENCY = "USD"
"""What jobs, judges and shares of endpoints are in."""


@dataclass(frozen=True, kw_only=True)
class Document:
    """What a statement says. `month` is as in "2026-10"; `closed_at` is in ISO 8601, empty while it is open.

    `sharing` says in two sentences how the cost of endpoints was shared.
    """

    number: str
    organisation: str
    month: str
    currency: str
    sharing: str
    lines: Sequence[Line]
    closed_at: str = ""
    version: int = VERSION

    @property
    def is_open(self) -> bool:
        return not self.closed_at

    @property
    def state(self) -> StatementState:
        return StatementState.OPEN if self.is_open else StatementState.CLOSED

    @property
    def charged(self) -> list[Line]:
        """What the site charges, with adjustments."""
        return [line for line in self.lines if line.paid_to == PaidTo.SITE]

    @property
    def elsewhere(self) -> list[Line]:
        """What the organisation pays to its own providers; not a part of the amount due."""
        return [line for line in self.lines if line.paid_to != PaidTo.SITE]

    @property
    def use_micros(self) -> int:
        """The charges of the month's own use."""
        return _sum(line for line in self.charged if line.kind != ADJUSTMENT)

    @property
    def adjustment_micros(self) -> int:
        return _sum(line for line in self.charged if line.kind == ADJUSTMENT)

    @property
    def due_micros(self) -> int:
        """Use and adjustments."""
        return _sum(self.charged)

    @property
    def provider_micros(self) -> int:
        return _sum(self.elsewhere)

    @property
    def unknown(self) -> int:
        """How many lines have no cost yet, and are in no sum."""
        return sum(line.micros is None for line in self.lines)

    def as_json(self) -> dict[str, Any]:
        """As it is stored."""
        return {**asdict(self), "lines": [asdict(line) for line in self.lines]}

    @classmethod
    def of_json(cls, stored: dict[str, Any]) -> Self:
        return cls(**{**stored, "lines": [Line(**line) for line in stored["lines"]]})


def canonical(stored: dict[str, Any]) -> bytes:
    """A document as bytes: keys in order, no spaces, UTF-8."""
    return json.dumps(stored, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def sha256_of(stored: dict[str, Any]) -> str:
    return hashlib.sha256(canonical(stored)).hexdigest()


def _sum(lines: Iterable[Line]) -> int:
    return sum(line.micros for line in lines if line.micros is not None)
