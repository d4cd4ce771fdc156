"""Which version answers a request where a trial runs, and which other one is asked the same."""

from collections.abc import Mapping
from typing import Any

from serving.gateway.database import Model
from serving.gateway.record import Tally
from serving.trials.arms import caller_mark, in_canary

PERSON = ("safety_identifier", "user")
"""Members of OpenAI's requests that tell apart the people whom a program asks for."""

UNLIKE_OTHERS = ("tools", "functions", "response_format", "logprobs")
"""With these an answer is not only its text."""


KEPT = ("role", "content")
"""Of each message of a copy."""


def answering(live: Model, tally: Tally, document: Mapping[str, Any]) -> Model:
    """The version that answers this caller, always the same one while the trial runs; notes the caller for it."""
    split = live.split
    if split is None:
        return live
    person = next((value for name in PERSON if isinstance(value := document.get(name), str) and value), "")
    tally.trial_id = split.trial_id
    tally.caller_mark = caller_mark(split.salt, key_id=str(tally.caller.key_id), user=person)
    chosen, other = live, split.candidate
    if in_canary(tally.caller_mark, split.share):
        chosen, other = other, chosen
    if split.wants_copies and _is_plain(document):
        tally.other, tally.said = other, []
    return chosen


def _is_plain(document: Mapping[str, Any]) -> bool:
    """Whether it is a chat in text with one answer."""
    messages = document.get("messages")
    if not isinstance(messages, list) or document.get("n") not in (None, 1):
        return False
    if any(document.get(name) for name in UNLIKE_OTHERS):
        return False
    return all(isinstance(one, dict) and all(_can_be_kept(one.get(name)) for name in KEPT) for one in messages)


def _can_be_kept(text: Any) -> bool:
    """PostgreSQL stores no NUL, and other texts are kept as they are."""
    return isinstance(text, str) and "\0" not in text
