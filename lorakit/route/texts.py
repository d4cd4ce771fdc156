"""The texts of a request by which it is routed, the most telling first."""

from collections.abc import Iterator, Mapping
from typing import Any

MOST_MESSAGES = 20
"""Messages of the user that are looked at: a conversation that began longer ago has moved on."""


def texts_of(document: Mapping[str, Any]) -> list[str]:
    """The user's messages, newest first, or a completion's prompt. Empty where there is no text, as in token ids."""
    messages = document.get("messages")
    if messages is None:
        text = _text(document.get("prompt"))
        return [text] if text else []
    texts: list[str] = []
    for text in _said_by_user(messages):
        texts.append(text)
        if len(texts) == MOST_MESSAGES:
            break
    return texts


def _said_by_user(messages: Any) -> Iterator[str]:
    if isinstance(messages, list):
        for message in reversed(messages):
            if isinstance(message, dict) and message.get("role") == "user" and (text := _text(message.get("content"))):
                yield text


def _text(content: Any) -> str:
    """A text, or several of them: prompts, or a message's parts."""
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        return ""
    parts = (part.get("text") if isinstance(part, dict) else part for part in content)
    return "\n".join(part for part in parts if isinstance(part, str))
