"""Checks of a usable row's text: personal data, and too many tokens for the base model."""

import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from msgspec.structs import replace as replace_in

from corpora.ingest.batch import Marks
from corpora.ingest.contracts import MAX_NAME_LENGTH, Context, Finding, Options, Turn
from corpora.ingest.texts.personal import KINDS, find_personal_data, mask
from corpora.ingest.texts.tokens import TokenCounter


@dataclass(frozen=True)
class Ruling:
    """The row's `messages` and `marks` after the rules. `messages` is None if the row is left out."""

    messages: list[Turn] | None
    marks: Marks
    findings: tuple[Finding, ...]


class Rules:
    """Applies a customer's options to rows."""

    def __init__(self, options: Options, context: Context | None) -> None:
        self._masks = options.personal_data == "mask"
        self._leaves_out_long = options.over_long == "leave_out"
        self._counter = TokenCounter(context) if context else None

    @property
    def longest_certain(self) -> int:
        """Bytes of JSON up to which a conversation's tokens need not be counted."""
        return sys.maxsize if self._counter is None else self._counter.context.tokens - self._counter.frame

    def apply(
        self, line: int, messages: list[Turn], marks: Marks, *, suspicious: bool, long: bool, tools: bytes = b""
    ) -> Ruling:
        """Apply the rules to a row that may contain personal data or too many tokens."""
        findings: list[Finding] = []
        if suspicious:
            messages, marks, kinds = self._personal(messages, marks)
            findings += (
                Finding(line, "", f"dataset:personal_{kind}", _personal_text(kind, self._masks), kept=True)
                for kind in kinds
            )
        if long and self._counter is not None:
            tokens, limit = self._counter.count(messages, tools), self._counter.context.tokens
            if tokens > limit:
                kept = not self._leaves_out_long
                name = self._counter.context.name
                text = f"The row has about {tokens:,} tokens, but {name} reads at most {limit:,}. Shorten it."
                findings.append(Finding(line, "", "dataset:over_long", text, kept=kept))
                if not kept:
                    return Ruling(None, marks, tuple(findings))
        return Ruling(messages, marks, tuple(findings))

    def _personal(self, messages: list[Turn], marks: Marks) -> tuple[list[Turn], Marks, list[str]]:
        kinds: dict[str, None] = {}

        def look(text: str) -> str:
            hits = find_personal_data(text)
            kinds.update(dict.fromkeys(hit.kind for hit in hits))
            return mask(text, hits) if self._masks else text

        looked = [_each_text(turn, look) for turn in messages]
        label = None if marks.label is None else look(marks.label)[:MAX_NAME_LENGTH]
        kept = tuple((column, look(text)[:MAX_NAME_LENGTH]) for column, text in marks.metadata)
        marked = replace(marks, slice=look(marks.slice)[:MAX_NAME_LENGTH], label=label, metadata=kept)
        return looked, marked if marked != marks else marks, list(kinds)


def _each_text(turn: Turn, change: Callable[[str], str]) -> Turn:
    """The turn with each of its texts changed."""
    calls = tuple(
        replace_in(call, function=replace_in(call.function, arguments=_each_value(call.function.arguments, change)))
        for call in turn.tool_calls
    )
    return replace_in(
        turn,
        content=change(turn.content),
        name=change(turn.name)[:MAX_NAME_LENGTH],
        reasoning_content=change(turn.reasoning_content),
        tool_calls=calls,
    )


def _each_value(value: Any, change: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return change(value)
    if isinstance(value, dict):
        return {key: _each_value(item, change) for key, item in value.items()}
    return [_each_value(item, change) for item in value] if isinstance(value, list) else value


@cache
def _personal_text(kind: str, masked: bool) -> str:
    what = KINDS[kind]
    article = "an" if what[0] in "aeio" else "a"
    if masked:
        return f"The row contained {article} {what}, which was masked."
    return f"The row contains {article} {what}. Mask it, or keep it if the people concerned agreed."
