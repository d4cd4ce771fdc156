"""From verdicts on both orders of a pair to a win, a tie or a loss. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import fsum
from typing import Literal

from evaluations.judging.grades import NOT_ASKED
from evaluations.rubrics.document import RubricDocument

Outcome = Literal[1, 0, -1]
"""For the first model of the pair: a win, a tie or a loss."""

MUCH_LONGER = 1.25
Length = Literal["shorter", "alike", "longer"]
LENGTHS: tuple[Length, ...] = ("shorter", "alike", "longer")


@dataclass(frozen=True, kw_only=True)
class Orders:
    """What a judge prefers by one criterion, with the first model's answer shown first (`forward`) and shown second.

    Each is `first`, `second` or `tie` as the judge said it, or empty and `errors` says why.
    """

    forward: str = ""
    backward: str = ""
    errors: tuple[str, ...] = ()

    @property
    def outcome(self) -> Outcome | None:
        """A win or a loss only if both orders say so; None unless there are both."""
        if not (self.forward and self.backward):
            return None
        if (self.forward, self.backward) == ("first", "second"):
            return 1
        return -1 if (self.forward, self.backward) == ("second", "first") else 0

    @property
    def flipped(self) -> bool:
        """Whether the judge prefers whichever answer stands first, or whichever stands second."""
        return self.forward == self.backward and self.forward in ("first", "second")


SAME = Orders(forward="tie", backward="tie")
"""Of two answers that are the same text, about which no judge is asked."""


@dataclass(frozen=True, kw_only=True)
class RowPreference:
    """A jury on one row: `outcome` by the weights of the criteria, None if a required one is missing.

    `flips` of the `comparisons` that have both orders depended on the order.
    """

    outcome: Outcome | None
    comparisons: int
    flips: int
    missing: Mapping[str, int]


def preference_of(rubric: RubricDocument, found: Sequence[Mapping[str, Orders]]) -> RowPreference:
    """One row's outcome; `found` has for each judge {criterion: orders}."""
    required = {one.criterion.name for one in rubric.criteria if one.required}
    weights = {one.criterion.name: one.weight for one in rubric.criteria}
    votes: list[float] = []
    missing: dict[str, int] = {}
    comparisons = flips = 0
    for of_judge in found:
        for name, weight in weights.items():
            orders = of_judge.get(name, Orders(errors=(NOT_ASKED,)))
            if orders.outcome is not None:
                votes.append(weight * orders.outcome)
                comparisons += 1
                flips += orders.flipped
            elif name in required:
                for why in orders.errors or (NOT_ASKED,):
                    missing[why] = missing.get(why, 0) + 1
    outcome = None if missing or not votes else _sign(fsum(votes))
    return RowPreference(outcome=outcome, comparisons=comparisons, flips=flips, missing=missing)


def length_of(first: str, second: str) -> Length:
    """Whether the first answer is much longer than the second, much shorter, or about as long, in characters."""
    one, other = max(len(first), 1), max(len(second), 1)
    if one > MUCH_LONGER * other:
        return "longer"
    return "shorter" if other > MUCH_LONGER * one else "alike"


def _sign(total: float) -> Outcome:
    # Sums of weights such as 0.1 and 0.2 are not exact.
    return 0 if abs(total) < 1e-9 else 1 if total > 0 else -1
