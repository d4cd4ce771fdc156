"""Rules compiled once: the first one that a text fulfils, in time linear in the text.

Hyperscan runs all expressions at once as automata, so no pattern can backtrack. It refuses what automata can't do, such
as back-references and look-around.
"""

import re
import threading
from collections.abc import Callable, Sequence
from typing import Self

import hyperscan
import msgspec

from lorakit.route.folding import folded, keyword_expression
from lorakit.route.rules import BadRules, Rule, check_sizes

LONGEST_TEXT = 16_000
"""Characters of a text that are looked at: its last ones."""

_KEYWORD_FLAGS = hyperscan.HS_FLAG_SINGLEMATCH
_PATTERN_FLAGS = (
    hyperscan.HS_FLAG_SINGLEMATCH | hyperscan.HS_FLAG_UTF8 | hyperscan.HS_FLAG_CASELESS | hyperscan.HS_FLAG_MULTILINE
)

_AFTER = "\n\n"
"""Ends every text. Hyperscan 5.4 loses some matches of `$` and `\\b` at the very end of its data, where it runs several
expressions together; before a line break that is not the last character it finds all."""

_END_OF_DATA = re.compile(r"(?<!\\)(?:\\\\)*\\[zZ]")


class Unreadable(ValueError):
    """A compiled table of another processor, or of another version of Hyperscan. Compile the rules again."""


class Table:
    """Immutable; may be used by several threads."""

    def __init__(self, keywords: hyperscan.Database | None, patterns: hyperscan.Database | None) -> None:
        self._keywords, self._patterns = keywords, patterns
        # A database's scratch space serves one scan at a time.
        self._lock = threading.Lock()

    @classmethod
    def compile(cls, rules: Sequence[Rule], *, before: Callable[[int, int], None] | None = None) -> Self:
        """Raises BadRules, naming the rule. Takes any time: `bounded.compile_bounded` is for rules of strangers.

        `before` is called with the indexes of each rule and text that is about to be compiled.
        """
        check_sizes(rules)
        keywords: list[tuple[int, bytes]] = []
        patterns: list[tuple[int, bytes]] = []
        for index, rule in enumerate(rules):
            for number, text in enumerate(rule.texts):
                if before is not None:
                    before(index, number)
                try:
                    if rule.kind == "keyword":
                        keywords.append((index, keyword_expression(text)))
                    else:
                        patterns.append((index, text.encode()))
                        _check(text)
                except (ValueError, hyperscan.error) as error:
                    raise _bad(error, rule, index, number) from None
        return cls(_compiled(keywords, _KEYWORD_FLAGS), _compiled(patterns, _PATTERN_FLAGS))

    @classmethod
    def load(cls, compiled: bytes) -> Self:
        """What `dump` gave. Raises Unreadable."""
        try:
            keywords, patterns = msgspec.msgpack.decode(compiled, type=tuple[bytes, bytes])
            return cls(_loaded(keywords), _loaded(patterns))
        except (msgspec.DecodeError, hyperscan.error) as error:
            raise Unreadable(str(error)) from None

    def dump(self) -> bytes:
        """The table for other processes on the same kind of processor."""
        return msgspec.msgpack.encode(
            [hyperscan.dumpb(one) if one else b"" for one in (self._keywords, self._patterns)]
        )

    def first(self, text: str) -> int | None:
        """The index of the first rule that the text fulfils."""
        text = text[-LONGEST_TEXT:]
        found: list[int] = []

        def note(rule: int, start: int, end: int, flags: int, context: object) -> None:
            found.append(rule)

        with self._lock:
            if self._keywords is not None:
                self._keywords.scan(folded(text), match_event_handler=note)
            if self._patterns is not None:
                self._patterns.scan((text + _AFTER).encode("utf-8", "replace"), match_event_handler=note)
        return min(found, default=None)


def _check(pattern: str) -> None:
    """Each by itself: Hyperscan names no expression when all are too large together."""
    if _END_OF_DATA.search(pattern):
        raise ValueError(r"\z and \Z are not supported. Use $, the end of a line.")
    _compiled([(0, pattern.encode())], _PATTERN_FLAGS)


def _compiled(expressions: Sequence[tuple[int, bytes]], flags: int) -> hyperscan.Database | None:
    if not expressions:
        return None
    database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    database.compile(
        expressions=[expression for _, expression in expressions],
        ids=[index for index, _ in expressions],
        elements=len(expressions),
        flags=[flags] * len(expressions),
    )
    return database


def _loaded(compiled: bytes) -> hyperscan.Database | None:
    if not compiled:
        return None
    database = hyperscan.loadb(compiled, mode=hyperscan.HS_MODE_BLOCK)
    database.scratch = hyperscan.Scratch(database)
    return database


def _bad(error: Exception, rule: Rule, index: int, number: int) -> BadRules:
    shown = rule.texts[number]
    return BadRules(f"{_said(str(error))} ({rule.kind} “{shown[:60]}”)", rule=index, text=number)


def _said(message: str) -> str:
    """Hyperscan's reason in the words of people who write rules."""
    for part, text in _REASONS.items():
        if part in message:
            return text
    return message.removesuffix(".").replace("at index", "at position") + "."


_REASONS = {
    "matches empty buffer": "This pattern would match every text, even an empty one.",
    "Back-references": "Back-references are not supported, because they can take exponential time.",
    "Zero-width assertions": "Look-ahead and look-behind are not supported.",
    "too large": "This pattern is too large. Use smaller repeats.",
}
