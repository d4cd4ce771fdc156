"""Reads chat rows: one JSON object per line with a list of messages."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from lorakit.errors import RunError

Message = dict[str, Any]
Tool = dict[str, Any]
T = TypeVar("T")


@dataclass(frozen=True)
class ChatRow:
    """One line, as a chat template takes it; `id` is the row's id, or its line number if it has none.

    A message has a role and content, and where they are set also name, reasoning_content, tool_calls (whose arguments
    are objects) and tool_call_id. `tools` are OpenAI's function definitions. `muted` has the positions of the answers
    with weight 0, which are read but never learnt.
    """

    id: str
    messages: list[Message]
    tools: list[Tool] = field(default_factory=list)
    muted: frozenset[int] = frozenset()


def read_rows(path: Path, *, area: str) -> Iterator[ChatRow]:
    """The rows of a file, without blank lines. Raises `RunError` naming an invalid line."""
    return read_lines(path, parse_row, area=area)


def read_lines(path: Path, parse: Callable[[Any, str], T], *, area: str) -> Iterator[T]:
    """What `parse` makes of each line and its row's id. Raises `RunError` for one that it refuses."""
    with path.open(encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
                yield parse(row, str(row.get("id", number)))
            except (ValueError, KeyError, TypeError, AttributeError):
                text = f"Line {number} of {path.name} is not a chat row that ends with the assistant's answer."
                raise RunError(f"{area}:bad_row", text) from None


def parse_row(row: Any, row_id: str) -> ChatRow:
    """A decoded line. Raises ValueError or a lookup error if it is not a chat row."""
    messages = [parse_message(message) for message in row["messages"]]
    if len(messages) < 2 or messages[-1]["role"] != "assistant":
        raise ValueError("the last message must be the assistant's")
    tools = row.get("tools") or []
    if not isinstance(tools, list) or not all(isinstance(tool, dict) for tool in tools):
        raise ValueError("tools must be a list of objects")
    weights = [message.get("weight", 1) for message in row["messages"]]
    if any(weight not in (0, 1) for weight in weights):
        raise ValueError("a weight is 0 or 1")
    return ChatRow(row_id, messages, tools, frozenset(index for index, weight in enumerate(weights) if weight == 0))


def parse_message(message: Any) -> Message:
    """A message without its weight and without keys that no template takes. Raises ValueError or a lookup error."""
    kept: Message = {"role": message["role"], "content": message["content"]}
    kept |= {key: message[key] for key in ("name", "reasoning_content", "tool_call_id") if message.get(key)}
    if not all(isinstance(value, str) for value in kept.values()):
        raise ValueError("role, content, name, reasoning and the id of a call must be text")
    if calls := message.get("tool_calls"):
        if not all(isinstance(call["function"]["arguments"], dict) for call in calls):
            raise ValueError("the arguments of a call must be an object")
        kept["tool_calls"] = calls
    return kept


def text_of(message: Message) -> str:
    """A message as people read it: its content, and below it its tool calls as JSON, one a line."""
    calls = [call["function"] for call in message.get("tool_calls", ())]
    lines = [json.dumps({"name": call["name"], "arguments": call["arguments"]}, ensure_ascii=False) for call in calls]
    return "\n".join([message["content"], *lines] if message["content"] or not lines else lines)
