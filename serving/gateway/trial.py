"""Which version answers a request where a trial runs."""

from collections.abc import Mapping
from typing import Any

from serving.gateway.database import Model
from serving.gateway.record import Tally
from serving.trials.arms import caller_mark, in_canary

PERSON = ("safety_identifier", "user")
"""Members of OpenAI's requests that tell apart the people whom a program asks for."""


def answering(live: Model, tally: Tally, document: Mapping[str, Any]) -> Model:
    """The version that answers this caller, always the same one while the trial runs; notes the caller for it."""
    split = live.split
    if split is None:
        return live
    person = next((value for name in PERSON if isinstance(value := document.get(name), str) and value), "")
    tally.trial_id = split.trial_id
    tally.caller_mark = caller_mark(split.salt, key_id=str(tally.caller.key_id), user=person)
    return split.candidate if in_canary(tally.caller_mark, split.share) else live
