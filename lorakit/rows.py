"""Reads chat rows: one JSON object per line with a list of messages."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lorakit.errors import RunError

Message = dict[str, str]


@dataclass(frozen=True)
class ChatRow:
    """The messages of one line; `id` is the row's id, or its line number if it has none."""

    id: str
    messages: list[Message]


def read_rows(path: Path, *, area: str) -> Iterator[ChatRow]:
    """The rows of a file, without blank lines. Raises `RunError` naming an invalid line."""
    with path.open(encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
                yield ChatRow(str(row.get("id", number)), check_messages(row["messages"]))
            except (ValueError, KeyError, TypeError, AttributeError):
                text = f"Line {number} of {path.name} is not a chat row that ends with the assistant's answer."
                raise RunError(f"{area}:bad_row", text) from None


def check_messages(messages: Any) -> list[Message]:
    """The role and content of each message. Raises ValueError or a lookup error for anything else."""
    kept = [{"role": message["role"], "content": message["content"]} for message in messages]
    if len(kept) < 2 or kept[-1]["role"] != "assistant":
        raise ValueError("the last message must be the assistant's")
    if not all(isinstance(value, str) for message in kept for value in message.values()):
        raise ValueError("role and content must be text")
    return kept
