"""Chats between the form of our rows and that of OpenAI's servers, where a call's arguments are a text of JSON."""

import json
import math
from collections.abc import Mapping
from typing import Any

from evaluations.texts import storable
from lorakit.rows import text_of

LEAST = -1e6
"""Of a token's log-probability: what is below, or above 0, is none."""

SENT = ("role", "content", "name", "tool_call_id")


def sent(message: Mapping[str, Any]) -> dict[str, Any]:
    """A message as servers take it, without reasoning."""
    kept = {name: message[name] for name in SENT if message.get(name) is not None}
    if calls := message.get("tool_calls"):
        kept["tool_calls"] = [
            {**call, "function": {**call["function"], "arguments": json.dumps(call["function"]["arguments"])}}
            for call in calls
        ]
    return kept


def answer_of(message: Mapping[str, Any]) -> str:
    """A server's message as the text that it is compared by: its content and calls, or its refusal.

    Raises KeyError, TypeError, ValueError or RecursionError if it is no message.
    """
    content = message.get("content") or message.get("refusal") or ""
    if not isinstance(content, str):
        raise TypeError("the content is no text")
    calls = [
        {"function": {"name": call["function"]["name"], "arguments": json.loads(call["function"]["arguments"])}}
        for call in message.get("tool_calls") or ()
    ]
    return storable(text_of({"content": content, "tool_calls": calls}))


def log_probability_of(choice: Mapping[str, Any]) -> float | None:
    """Of the whole answer, by its tokens; None if the server sent no probabilities, or in another form."""
    try:
        found = [token["logprob"] for token in choice["logprobs"]["content"]]
    except (KeyError, TypeError):
        return None
    if not found or not all(isinstance(one, int | float) and LEAST <= one <= 0 for one in found):
        return None
    return math.fsum(found)
