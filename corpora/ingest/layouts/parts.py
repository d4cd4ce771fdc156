"""Reads a content in parts: OpenAI's, Anthropic's, Amazon Bedrock's and Gemini's, and those of LLaMA-Factory.

A part names its type in a key "type", or has one key that says it: {"text": "…"}, {"toolUse": {…}}.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from corpora.ingest.layouts.layout import check_characters
from corpora.ingest.layouts.tools import json_in
from corpora.ingest.problems import RowProblem, kind_of, shown

TYPES = {
    "text": "text",
    "input_text": "text",
    "output_text": "text",
    "reasoning": "reasoning",
    "thinking": "reasoning",
    "reasoningContent": "reasoning",
    "tool_call": "call",
    "tool_use": "call",
    "toolUse": "call",
    "functionCall": "call",
    "tool_result": "result",
    "toolResult": "result",
    "functionResponse": "result",
}
TEXT_KEYS = ("text", "value")
IDS = ("tool_use_id", "toolUseId", "id")
RESULTS = ("content", "response")

_encode = msgspec.json.Encoder().encode


class Parts(NamedTuple):
    """What the parts of a turn hold. `calls` are an answer's; `results` are what tools said: (ID of the call, text)."""

    text: str
    reasoning: str
    calls: list[Any]
    results: list[tuple[str, str]]


def read_parts(parts: Sequence[Any], field: str) -> Parts:
    """The parts of a content. Raises RowProblem for pictures, sound and files."""
    texts: list[str] = []
    reasoning: list[str] = []
    calls: list[Any] = []
    results: list[tuple[str, str]] = []
    for index, part in enumerate(parts):
        where = f"{field}[{index}]"
        kind, value = _value_of(part, where)
        if kind == "call":
            calls += _calls(value, where)
        elif kind == "result":
            answered, text = str(_first(value, IDS, "")), _result(_first(value, RESULTS, ""), where)
            check_characters(answered + text, where)
            results.append((answered, text))
        elif not isinstance(value, str):
            raise _unreadable(part, where)
        else:
            (texts if kind == "text" else reasoning).append(value)
    return Parts("".join(texts), "\n".join(reasoning), calls, results)


def _value_of(part: Any, field: str) -> tuple[str, Any]:
    """The kind of a part, and its value. Raises RowProblem."""
    if isinstance(part, Mapping):
        # Typed tables have every key in every part, with null for no value.
        part = {key: value for key, value in part.items() if value is not None}
        name = part.get("type") or next((key for key in part if key in TYPES), None)
        kind = TYPES.get(name) if isinstance(name, str) else None
        if kind:
            value = next((part[key] for key in (name, *TEXT_KEYS) if key in part), part)
            return kind, value if kind in ("call", "result") else _text(value)
    raise _unreadable(part, field)


def _text(value: Any) -> Any:
    """The text of a part, which Bedrock puts into an object, or into two if it is reasoning."""
    while isinstance(value, Mapping):
        value = value.get("text", value.get("reasoningText"))
    return value


def _calls(value: Any, field: str) -> list[Any]:
    """One call, or the calls that stand in a text as JSON, with arguments under OpenAI's name."""
    if isinstance(value, str):
        value = json_in(value, field)
    found = value if isinstance(value, list) else [value]
    return [_call(call) if isinstance(call, Mapping) else call for call in found]


def _call(call: Mapping[Any, Any]) -> Mapping[Any, Any]:
    given = next((call[key] for key in ("input", "args") if key in call), None)
    if given is None:
        return call
    return {"id": _first(call, IDS, ""), "name": call.get("name"), "arguments": given}


def _result(value: Any, field: str) -> str:
    """What a tool answered, as text: a text, parts, or anything else as JSON. Raises RowProblem."""
    return "".join(_result_part(part, field) for part in (value if isinstance(value, list) else [value]))


def _result_part(value: Any, field: str) -> str:
    if isinstance(value, Mapping):
        if value.keys() & {"image", "document", "video", "source"}:
            raise _unreadable(value, field)
        value = value.get("text", value.get("json", value))
    if isinstance(value, str):
        return value
    try:
        return _encode(value).decode()
    except (TypeError, ValueError, RecursionError):
        text = "What the tool answered cannot be written as JSON. Use texts, numbers, lists and objects."
        raise RowProblem("dataset:tools", field, text) from None


def _first(value: Any, keys: Sequence[str], otherwise: Any) -> Any:
    return next((value[key] for key in keys if isinstance(value, Mapping) and key in value), otherwise)


def _unreadable(part: Any, field: str) -> RowProblem:
    name = kind_of(part)
    if isinstance(part, Mapping):
        name = shown(part.get("type") or next((key for key, value in part.items() if value is not None), "empty"))
    text = f"This part of the content is “{name}”. Only text can be trained on. Remove the part or the row."
    return RowProblem("missing_content", field, text)
