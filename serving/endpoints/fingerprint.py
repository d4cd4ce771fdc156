"""Checks that a deployment gives the same answers as in its evaluation. Wrong or stale weights do not."""

from collections.abc import Sequence
from dataclasses import dataclass

from evaluations.runs.stages.rows import MIN_NEW_TOKENS
from serving.backends.target import Target
from serving.endpoints.asking import ask

KNOWN_ANSWERS = 3


@dataclass(frozen=True, kw_only=True)
class Fingerprint:
    """How many known prompts were sent, and how many answers matched exactly."""

    asked: int
    matched: int

    @property
    def matches(self) -> bool:
        return self.matched == self.asked


def take_fingerprint(target: Target, known: Sequence[tuple[list[dict[str, str]], str]]) -> Fingerprint:
    """Ask each known prompt greedily and compare the answer with the known one. Raises EndpointError."""
    matched = sum(1 for messages, expected in known if _repeats(target, messages, expected.strip()))
    return Fingerprint(asked=len(known), matched=matched)


def _repeats(target: Target, messages: list[dict[str, str]], expected: str) -> bool:
    # A token is a byte or more, so this leaves room to notice an answer that goes on too long.
    answer = ask(target, messages, max_tokens=len(expected.encode()) + MIN_NEW_TOKENS)
    if answer.text.strip() == expected:
        return True
    # The evaluation may have cut the known answer off, in the middle of a character too, but never one this short.
    beginning = expected.rstrip("\N{REPLACEMENT CHARACTER}")
    return answer.completion_tokens > MIN_NEW_TOKENS and bool(beginning) and answer.text.strip().startswith(beginning)
