"""Decides where a request goes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from lorakit.route.rules import Rule
from lorakit.route.table import Table

By = Literal["rule", "classifier", "default"]


@dataclass(frozen=True, kw_only=True)
class Guess:
    """A classifier's answer; `confidence` is the share of such answers that are right, from 0 to 1."""

    target: str
    confidence: float


@dataclass(frozen=True, kw_only=True)
class Decision:
    """Where a request goes, and why. `target` is None where nothing fits and there is no default.

    `rule` is an index into the router's rules. `confidence` is that of the classifier's guess, also where it was too
    low and the default was taken.
    """

    target: str | None
    by: By
    rule: int | None = None
    confidence: float | None = None


@dataclass(frozen=True, kw_only=True)
class Router:
    """Rules in order, then a guess of at least `floor`, then `default`. The same request always goes the same way."""

    rules: Sequence[Rule]
    table: Table
    default: str | None = None
    floor: float = 0.0

    def by_rule(self, texts: Sequence[str]) -> Decision | None:
        """By the first rule that fits the first text that any rule fits, as `texts.texts_of` orders them."""
        for text in texts:
            index = self.table.first(text)
            if index is not None:
                return Decision(target=self.rules[index].target, by="rule", rule=index)
        return None

    def by_guess(self, guess: Guess | None) -> Decision:
        """For requests that no rule fits; None: nobody was asked, or there was no answer."""
        if guess is not None and guess.confidence >= self.floor:
            return Decision(target=guess.target, by="classifier", confidence=guess.confidence)
        confidence = None if guess is None else guess.confidence
        return Decision(target=self.default, by="default", confidence=confidence)
