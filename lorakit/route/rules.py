"""A rule of a router, what a set of rules may be, and why one is refused."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

MOST_RULES = 1_000
MOST_TEXTS = 50
"""Keywords or patterns of one rule."""
MOST_TEXTS_OF_ALL = 5_000
LONGEST_KEYWORD = 100
LONGEST_PATTERN = 200


@dataclass(frozen=True, kw_only=True)
class Rule:
    """Requests that contain one of `texts` go to `target`.

    Keywords are words or phrases, found as whole words in any case. Patterns are regular expressions in Hyperscan's
    syntax, found anywhere in any case: `\\w`, `\\d` and `\\b` know ASCII only, `\\p{L}` every script; `^` and `$` are
    the ends of a line, and every text ends with one.
    """

    kind: Literal["keyword", "pattern"]
    texts: tuple[str, ...]
    target: str


class BadRules(ValueError):
    """Rules that cannot be used. `rule` and `text` are indexes into the rules and into the texts of that rule."""

    def __init__(self, message: str, *, rule: int | None = None, text: int | None = None) -> None:
        super().__init__(message if rule is None else f"Rule {rule + 1}: {message}")
        self.message, self.rule, self.text = message, rule, text


def check_sizes(rules: Sequence[Rule]) -> None:
    """Raises BadRules for what is empty, too long or too much."""
    if len(rules) > MOST_RULES:
        raise BadRules(f"A router has at most {MOST_RULES:,} rules, not {len(rules):,}.")
    total = sum(len(rule.texts) for rule in rules)
    if total > MOST_TEXTS_OF_ALL:
        raise BadRules(f"A router has at most {MOST_TEXTS_OF_ALL:,} keywords and patterns, not {total:,}.")
    for index, rule in enumerate(rules):
        if not rule.texts:
            raise BadRules(f"Enter at least one {rule.kind}.", rule=index)
        if len(rule.texts) > MOST_TEXTS:
            raise BadRules(f"A rule has at most {MOST_TEXTS} {rule.kind}s. Split it in two.", rule=index)
        longest = LONGEST_KEYWORD if rule.kind == "keyword" else LONGEST_PATTERN
        for number, text in enumerate(rule.texts):
            if not text.strip():
                raise BadRules(f"A {rule.kind} is empty.", rule=index, text=number)
            if not text.isprintable():
                raise BadRules(f"A {rule.kind} contains an invalid character.", rule=index, text=number)
            if len(text) > longest:
                raise BadRules(
                    f"A {rule.kind} has at most {longest} characters, not {len(text)}.", rule=index, text=number
                )
