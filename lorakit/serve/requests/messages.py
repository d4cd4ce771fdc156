"""Reads the messages and tools of a chat request as a chat template takes them, as in `lorakit.rows`."""

import re
from typing import Any

from lorakit.rows import Message, Tool
from lorakit.serve.requests.errors import ApiError, invalid
from lorakit.strict_json import read_json

ROLES = ("system", "developer", "user", "assistant", "tool")
OWN_KEYS = {"assistant": ("reasoning_content",), "tool": ("tool_call_id",)}
MAX_TOOLS = 128
"""Tools of a request, and calls of one message, as in OpenAI's API."""

FUNCTION_NAME = re.compile(r"[A-Za-z0-9_.-]{1,64}")


def parse_messages(value: Any) -> list[Message]:
    """Chat messages; content given in parts is joined. Raises ApiError.

    A tool's message must answer a call of an earlier message: its ID may be missing only if no call has one.
    """
    if not isinstance(value, list) or not value:
        raise invalid("messages", "this must be a list with at least one message.")
    messages: list[Message] = []
    called: set[str] = set()
    for number, raw in enumerate(value, start=1):
        message = _message(raw, number)
        if message["role"] == "tool" and message.get("tool_call_id", "") not in called:
            text = f"message {number} needs the `tool_call_id` of a call in an earlier message."
            raise invalid("messages", text)
        called.update(call.get("id", "") for call in message.get("tool_calls", ()))
        messages.append(message)
    return messages


def parse_tools(data: dict[str, Any]) -> list[Tool]:
    """The functions that the model is told of: none where `tool_choice` is "none". Raises ApiError."""
    choice = data.get("tool_choice")
    if choice not in (None, "auto", "none"):
        text = "tool_choice: this server can't make the model call a tool. Leave it out, or send auto or none."
        raise ApiError(400, text, "unsupported_parameter", "tool_choice")
    value = data.get("tools")
    if value is None:
        return []
    if not isinstance(value, list) or len(value) > MAX_TOOLS:
        raise invalid("tools", f"this must be a list of at most {MAX_TOOLS} tools.")
    tools = [_tool(tool, number) for number, tool in enumerate(value, start=1)]
    return [] if choice == "none" else tools


def _message(raw: Any, number: int) -> Message:
    if not isinstance(raw, dict) or raw.get("role") not in ROLES:
        raise invalid("messages", f"message {number} needs the role system, user, assistant or tool.")
    role = "system" if raw["role"] == "developer" else raw["role"]
    calls = _calls(raw.get("tool_calls"), number) if role == "assistant" else []
    content = _text(raw.get("content"))
    if content is None and calls and raw.get("content") is None:
        content = ""
    if content is None:
        raise invalid("messages", f"message {number} needs text as its content.")
    message: Message = {"role": role, "content": content}
    if calls:
        message["tool_calls"] = calls
    for key in ("name", *OWN_KEYS.get(role, ())):
        if not isinstance(raw.get(key) or "", str):
            raise invalid("messages", f"`{key}` of message {number} must be a string.")
        if raw.get(key):
            message[key] = raw[key]
    return message


def _text(content: Any) -> str | None:
    """The text of a content, also if it comes in parts; None for anything else."""
    if isinstance(content, list):
        parts = [part.get("text") for part in content if isinstance(part, dict) and part.get("type") == "text"]
        texts = [part for part in parts if isinstance(part, str)]
        return "".join(texts) if len(texts) == len(content) else None
    return content if isinstance(content, str) else None


def _calls(value: Any, number: int) -> list[dict[str, Any]]:
    if value is None:
        return []
    if not isinstance(value, list) or len(value) > MAX_TOOLS:
        raise invalid("messages", f"`tool_calls` of message {number} must be a list of at most {MAX_TOOLS} calls.")
    return [_call(call, number) for call in value]


def _call(call: Any, number: int) -> dict[str, Any]:
    function = call.get("function") if isinstance(call, dict) else None
    if not isinstance(function, dict) or call.get("type", "function") != "function" or not _is_name(function):
        raise invalid("messages", f"a call of message {number} needs the type function and the name of its function.")
    arguments = function.get("arguments")
    if isinstance(arguments, str):
        try:
            arguments = read_json(arguments.encode()) if arguments.strip() else {}
        except ValueError:
            arguments = None
    if not isinstance(arguments, dict):
        raise invalid("messages", f"the arguments of a call of message {number} must be a JSON object in a string.")
    identifier = call.get("id")
    if identifier is not None and not isinstance(identifier, str):
        raise invalid("messages", f"the ID of a call of message {number} must be a string.")
    named = {"id": identifier} if identifier else {}
    return {"type": "function", "function": {"name": function["name"], "arguments": arguments}, **named}


def _tool(tool: Any, number: int) -> Tool:
    function = tool.get("function") if isinstance(tool, dict) else None
    if not isinstance(function, dict) or tool.get("type") != "function" or not _is_name(function):
        text = f"tool {number} needs the type function and a name of up to 64 letters, digits, dots, dashes or _."
        raise invalid("tools", text)
    if not isinstance(function.get("description") or "", str) or not isinstance(function.get("parameters") or {}, dict):
        raise invalid("tools", f"tool {number} needs text as its description and an object as its parameters.")
    return {"type": "function", "function": {key: item for key, item in function.items() if item is not None}}


def _is_name(function: dict[str, Any]) -> bool:
    name = function.get("name")
    return isinstance(name, str) and FUNCTION_NAME.fullmatch(name) is not None
