"""The evidence that a decision's conditions are checked on: made from the database, or from an evidence pack."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Literal

Role = Literal["own", "live", "base"]
"""Which model: the candidate, the version that was live when the decision was opened, or the base alone."""

Part = Literal["uniform", "targeted", "adversarial"]
ItemState = Literal["decided", "open", "skipped"]

CAP = 400
"""Reviews after which what has not been shown counts as not shown."""


@dataclass(frozen=True, slots=True)
class Scored:
    """What is known of one model's answer to a row. `judge` is the judge's grade, 1 to 5."""

    scores: Mapping[str, float | None]
    judge: float | None = None
    seconds: float | None = None
    usd: float | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """A test row. `leaked` if its prompt is, or is much like, a prompt that the candidate was trained on."""

    number: int
    prompt: str
    answers: Mapping[Role, Scored]
    leaked: bool = False


@dataclass(frozen=True, slots=True)
class Given:
    """One expert's verdict of an item: a grade from 1 to 5; of a pair 1 for the candidate, 0 for a tie, -1."""

    reviewer: str
    value: float


@dataclass(frozen=True, slots=True)
class Item:
    """An answer, or a pair, of a review round, at its `position` in the order in which verdicts count as evidence.

    `value` is what its reviews come to once it is decided.
    """

    position: int
    part: Part
    row: int
    role: Role
    state: ItemState
    value: float | None = None
    given: tuple[Given, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Round:
    """A review round. `seconds` is the experts' median time for one review, `against` the other model of its pairs."""

    number: int
    shape: Literal["single", "pair"]
    items: Sequence[Item]
    against: Role | None = None
    reviewers_per_item: int = 1
    seconds: float | None = None


@dataclass(frozen=True, kw_only=True)
class Control:
    """The judge as control variate, fixed before the first review: see `lorakit.stats.gains.gains_with_judge`.

    `scores` to `grades` is the isotonic map from earlier labels.
    """

    weight: float
    scores: tuple[float, ...]
    grades: tuple[float, ...]


@dataclass(frozen=True, kw_only=True)
class Licence:
    """Whether the judge that graded the answers is licensed for its rubric, and why."""

    judge: str
    state: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class Case:
    """Everything that a verdict depends on. `names` are the models', as people know them.

    `attempt` counts decisions about this version that rest on a review round of their own. `approved_by` are the people
    who approve and may: never the one who trained the version.
    """

    names: Mapping[Role, str]
    rows: Sequence[Row]
    leaves_out_leaks: bool = True
    leaks_known: bool = True
    round: Round | None = None
    control: Control | None = None
    attempt: int = 1
    licence: Licence | None = None
    is_judged: bool = False
    approved_by: Sequence[str] = ()
    scales: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    titles: Mapping[str, str] = field(default_factory=dict)

    @property
    def sha256(self) -> str:
        """Identifies the evidence: the same rows, reviews and approvals give the same."""
        text = json.dumps(self, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=_members)
        return hashlib.sha256(text.encode()).hexdigest()

    @property
    def counted(self) -> list[Row]:
        """The rows that count: without leaked ones if those are left out."""
        return [row for row in self.rows if not (row.leaked and self.leaves_out_leaks)]

    def uniform(self) -> "Units":
        """The items that decide."""
        return units_of(self)


@dataclass(frozen=True, kw_only=True)
class Units:
    """The longest run of decided units of the uniform part, in order: what counts as evidence.

    A unit is a row: one answer or pair, or the two answers of a row that were graded separately. `values` hold (own,
    other), the other None for rounds of single answers of the candidate alone. `waiting` counts later units that are
    still to be decided, `skipped` those that nobody could grade, `leaked` those left out.
    """

    rows: tuple[int, ...]
    values: tuple[tuple[float, float | None], ...]
    skipped: int
    leaked: int
    waiting: int


def units_of(case: Case) -> Units:
    """The units of a case, see `Units`. Rows that leak are left out if the case leaves them out."""
    if case.round is None:
        return Units(rows=(), values=(), skipped=0, leaked=0, waiting=0)
    gone = {row.number for row in case.rows if row.leaked} if case.leaves_out_leaks else set()
    both = case.round.shape == "single" and any(item.role != "own" for item in case.round.items)
    grouped: dict[int, list[Item]] = {}
    for item in sorted(case.round.items, key=lambda item: item.position):
        if item.part == "uniform":
            grouped.setdefault(item.row, []).append(item)
    rows: list[int] = []
    values: list[tuple[float, float | None]] = []
    skipped = leaked = waiting = 0
    # A row of two answers is complete with its second one.
    for items in sorted(grouped.values(), key=lambda items: items[-1].position):
        value = _value(items, both)
        if items[0].row in gone:
            leaked += 1
        elif any(item.state == "skipped" for item in items):
            skipped += 1
        elif waiting or value is None:
            waiting += 1
        else:
            rows.append(items[0].row)
            values.append(value)
    return Units(rows=tuple(rows), values=tuple(values), skipped=skipped, leaked=leaked, waiting=waiting)


def _value(items: Sequence[Item], both: bool) -> tuple[float, float | None] | None:
    """(own, other's) of the answers to one row, None before both are decided."""
    own = next((item.value for item in items if item.role == "own" and item.state == "decided"), None)
    other = next((item.value for item in items if item.role != "own" and item.state == "decided"), None)
    if own is None or (both and other is None):
        return None
    return own, other if both else None


def _members(part: Any) -> dict[str, Any]:
    """Of a dataclass, without copying what is in it."""
    return {one.name: getattr(part, one.name) for one in fields(part)}
