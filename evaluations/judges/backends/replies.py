"""From a model's reply to its choice, strictly: what does not fit the schema is Malformed, never a guess."""

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from evaluations.judges.backends.errors import Malformed
from evaluations.judges.prompts import Choice, Prompt
from evaluations.texts import storable

MAX_REASON = 2_000
LEAST_MASS = 0.5
"""Of the probability that the choice's token puts on choices; below it the distribution says nothing."""

FENCE = re.compile(r"\s*```(?:json)?\s*\n(.*)\n\s*```\s*", re.DOTALL)
CHOICE_TOKEN = re.compile(r'[\s":]*(\w+)[\s,}"]*')


@dataclass(frozen=True, kw_only=True)
class Parsed:
    """One reply. `distribution` is by choice and sums to 1; None without token probabilities."""

    choice: Choice
    reason: str
    distribution: Mapping[Choice, float] | None = None


@dataclass(frozen=True)
class Token:
    """A token of the reply with the log-probabilities of what could have stood there."""

    text: str
    alternatives: Sequence[tuple[str, float]]


def parsed(text: str, prompt: Prompt) -> Parsed:
    """What a reply says that is JSON, alone or in one fence. Raises Malformed."""
    fenced = FENCE.fullmatch(text)
    try:
        document = json.loads(fenced[1] if fenced else text, object_pairs_hook=_without_repeats)
    except (ValueError, RecursionError):
        raise Malformed("The judge’s reply is not JSON.", raw=text) from None
    return checked(document, prompt, raw=text)


def checked(document: Any, prompt: Prompt, *, raw: str) -> Parsed:
    """What a reply's object says. Raises Malformed."""
    if not isinstance(document, dict) or document.keys() != {"reason", prompt.asks}:
        raise Malformed(f"The judge’s reply does not have exactly a reason and a “{prompt.asks}”.", raw=raw)
    choice, reason = document[prompt.asks], document["reason"]
    # In Python True is 1, and 4.0 is 4.
    if not any(type(choice) is type(known) and choice == known for known in prompt.choices):
        known = ", ".join(map(str, prompt.choices))
        raise Malformed(f"The judge’s “{prompt.asks}” is not one of {known}.", raw=raw)
    if not isinstance(reason, str) or not reason.strip():
        raise Malformed("The judge’s reply has no reason.", raw=raw)
    return Parsed(choice=choice, reason=storable(reason.strip())[:MAX_REASON])


def distribution(tokens: Sequence[Token], prompt: Prompt) -> dict[Choice, float] | None:
    """Probabilities by choice at the token where the choice begins, or None where the tokens do not tell.

    A token may be a part of a choice, so none of the choices may begin with another, as 10 does with 1.
    """
    spelled = {str(choice): choice for choice in prompt.choices}
    if any(one != other and one.startswith(other) for one in spelled for other in spelled):
        return None
    text = "".join(token.text for token in tokens)
    found = list(re.finditer(rf'"{prompt.asks}"\s*:\s*"?(\w+)"?\s*[,}}]', text))
    if len(found) != 1:
        return None
    weights = dict.fromkeys(prompt.choices, 0.0)
    for alternative, log_probability in _token_at(tokens, found[0].start(1)).alternatives:
        begun = CHOICE_TOKEN.fullmatch(alternative)
        meant = [choice for text, choice in spelled.items() if begun and text.startswith(begun[1])]
        if len(meant) == 1 and math.isfinite(log_probability):
            weights[meant[0]] += math.exp(min(log_probability, 0.0))
    total = math.fsum(weights.values())
    if total < LEAST_MASS:
        return None
    return {choice: weight / total for choice, weight in weights.items() if weight}


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
