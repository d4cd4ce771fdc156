"""The turns of a prompt as people read them."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from lorakit.rows import text_of

WHO = {"system": "Instructions", "user": "Question", "assistant": "Earlier answer", "tool": "Tool result"}


@dataclass(frozen=True, kw_only=True)
class Turn:
    """One message; `who` names its role without ML words."""

    role: str
    who: str
    text: str


def turns_of(messages: Iterable[dict[str, Any]]) -> list[Turn]:
    """The turns of chat messages, with tool calls as JSON."""
    return [
        Turn(role=message["role"], who=WHO.get(message["role"], message["role"]), text=text_of(message))
        for message in messages
    ]
