"""From a model's reply to a grade, strictly: what does not fit the schema is Malformed, never a guess."""

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from evaluations.judges.backends.errors import Malformed
from evaluations.judges.prompts import Prompt

MAX_REASON = 2_000
LEAST_MASS = 0.5
"""Of the probability that the score's token puts on grades of the scale; below it the distribution says nothing."""

FENCE = re.compile(r"\s*```(?:json)?\s*\n(.*)\n\s*```\s*", re.DOTALL)
SCORE = re.compile(r'"score"\s*:\s*(\d+)\s*[,}]')
GRADE_TOKEN = re.compile(r'[\s":]*(\d+)[\s,}"]*')


@dataclass(frozen=True, kw_only=True)
class Grade:
    """One parsed reply. `distribution` is by grade and sums to 1; None without token probabilities."""

    score: int
    reason: str
    distribution: Mapping[int, float] | None = None


@dataclass(frozen=True)
class Token:
    """A token of the reply with the log-probabilities of what could have stood there."""

    text: str
    alternatives: Sequence[tuple[str, float]]


def parsed(text: str, prompt: Prompt) -> Grade:
    """The grade in a reply that is JSON, alone or in one fence. Raises Malformed."""
    fenced = FENCE.fullmatch(text)
    try:
        document = json.loads(fenced[1] if fenced else text, object_pairs_hook=_without_repeats)
    except (ValueError, RecursionError):
        raise Malformed("The judge’s reply is not JSON.", raw=text) from None
    return graded(document, prompt, raw=text)


def graded(document: Any, prompt: Prompt, *, raw: str) -> Grade:
    """The grade in a reply's object. Raises Malformed."""
    if not isinstance(document, dict) or document.keys() != {"reason", "score"}:
        raise Malformed("The judge’s reply does not have exactly a reason and a score.", raw=raw)
    score, reason = document["score"], document["reason"]
    if type(score) is not int or not prompt.lowest <= score <= prompt.highest:
        text = f"The judge’s score is not a whole number from {prompt.lowest} to {prompt.highest}."
        raise Malformed(text, raw=raw)
    if not isinstance(reason, str) or not reason.strip():
        raise Malformed("The judge’s reply has no reason.", raw=raw)
    return Grade(score=score, reason=reason.strip().replace("\x00", "\ufffd")[:MAX_REASON])


def distribution(tokens: Sequence[Token], prompt: Prompt) -> dict[int, float] | None:
    """Probabilities by grade at the token of the score, or None where the tokens do not tell.

    Only for scales whose grades are one digit: of a larger one, the token of a score may be a part of it.
    """
    text = "".join(token.text for token in tokens)
    found = list(SCORE.finditer(text))
    if prompt.highest > 9 or len(found) != 1:
        return None
    token = _token_at(tokens, found[0].start(1))
    weights: dict[int, float] = {}
    for alternative, log_probability in token.alternatives:
        grade = GRADE_TOKEN.fullmatch(alternative)
        if grade and prompt.lowest <= int(grade[1]) <= prompt.highest and math.isfinite(log_probability):
            weights[int(grade[1])] = weights.get(int(grade[1]), 0.0) + math.exp(min(log_probability, 0.0))
    total = math.fsum(weights.values())
    if total < LEAST_MASS:
        return None
    return {grade: weight / total for grade, weight in sorted(weights.items())}


def _token_at(tokens: Sequence[Token], position: int) -> Token:
    end = 0
    for token in tokens:
        end += len(token.text)
        if position < end:
            return token
    raise IndexError(position)


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) != len(pairs):
        raise ValueError("a key occurs twice")
    return document
