"""Reads tools: the functions that a conversation can call, and the calls in its answers."""

from collections.abc import Iterator, Mapping
from typing import Any

import jiter
import msgspec

from corpora.ingest.contracts import Function, ToolCall
from corpora.ingest.layouts.layout import check_characters
from corpora.ingest.problems import RowProblem

CALLING_ROLES = ("function_call", "tool_call")
"""ShareGPT's roles of an answer that is nothing but calls."""

PARAMETERS = {"input_schema": "parameters", "inputSchema": "parameters"}
"""Anthropic's and Bedrock's names of what a tool takes."""

_encode = msgspec.json.Encoder().encode


def read_tools(value: Any) -> bytes:
    """The definitions of a row as a JSON list in OpenAI's format; empty if there are none. Raises RowProblem."""
    if isinstance(value, str):
        value = json_in(value, "tools") if value.strip() else None
    if not value:
        return b""
    return _encode([_definition(item, f"tools[{index}]") for index, item in enumerate(_each_tool(value))])


def tool_calls(value: Any, field: str) -> tuple[ToolCall, ...]:
    """The calls of an answer: a list, or the one call of OpenAI's older `function_call`. Raises RowProblem."""
    if not value:
        return ()
    calls = value if isinstance(value, list) else [value]
    return tuple(_call(call, f"{field}[{index}]") for index, call in enumerate(calls))


def called_in_text(value: Any, field: str) -> tuple[ToolCall, ...]:
    """The calls that are an answer's whole text, as JSON. Raises RowProblem."""
    return tool_calls(json_in(value, field) if isinstance(value, str) else value, field)


def called_instead(value: Any, field: str) -> tuple[ToolCall, ...]:
    """The calls that stand where an answer would: a list of them, or the same as JSON. Empty for any other answer."""
    if isinstance(value, str):
        if not value.lstrip().startswith(("[{", '{"name"')):
            return ()
        try:
            value = json_in(value, field)
        except RowProblem:
            return ()
    calls = value if isinstance(value, list) else [value]
    if not all(isinstance(call, Mapping) and {"name", "arguments"} <= call.keys() for call in calls):
        return ()
    return tool_calls(calls, field)


def _each_tool(value: Any) -> Iterator[Any]:
    """The definitions one by one: Bedrock's are in an object, Gemini's in lists."""
    if isinstance(value, Mapping) and isinstance(value.get("tools"), list):
        value = value["tools"]
    for item in value if isinstance(value, list) else [value]:
        declared = item.get("functionDeclarations") if isinstance(item, Mapping) else None
        yield from declared if isinstance(declared, list) else [item]


def _definition(item: Any, field: str) -> dict[str, Any]:
    definition = item.get("function", item.get("toolSpec", item)) if isinstance(item, Mapping) else None
    if not isinstance(definition, Mapping) or not isinstance(definition.get("name"), str) or not definition["name"]:
        text = "A tool must be an object with a name, a description and parameters, as in OpenAI’s format."
        raise RowProblem("dataset:tools", field, text)
    given = {PARAMETERS.get(key, key): item for key, item in definition.items() if item is not None}
    schema = given.get("parameters")
    if "inputSchema" in definition and isinstance(schema, Mapping):
        given["parameters"] = schema.get("json", schema)
    return {"type": "function", "function": given}


def _call(call: Any, field: str) -> ToolCall:
    whole = call if isinstance(call, Mapping) else {}
    function = whole.get("function", whole)
    name = function.get("name") if isinstance(function, Mapping) else None
    if not isinstance(name, str) or not name:
        raise RowProblem("dataset:tools", field, "A tool call needs the name of its function and the arguments.")
    check_characters(name, f"{field}.function.name")
    arguments = function.get("arguments", function.get("parameters"))
    if isinstance(arguments, str):
        arguments = json_in(arguments, f"{field}.function.arguments") if arguments.strip() else {}
    if arguments is None:
        arguments = {}
    if not isinstance(arguments, dict):
        raise RowProblem("dataset:tools", f"{field}.function.arguments", "Arguments must be a JSON object: {…}.")
    _check_writable(arguments, f"{field}.function.arguments")
    identifier = whole.get("id") or ""
    if not isinstance(identifier, str):
        raise RowProblem("dataset:tools", f"{field}.id", "The ID of a tool call must be a text.")
    check_characters(identifier, f"{field}.id")
    return ToolCall(Function(name, arguments), "function", identifier)


def json_in(text: str, field: str) -> Any:
    """The value that stands in a text as JSON. Raises RowProblem."""
    try:
        return jiter.from_json(text.encode(), allow_inf_nan=False, catch_duplicate_keys=True)
    except ValueError:
        raise RowProblem("dataset:tools", field, f"“{field}” is not valid JSON. Write it with json.dumps.") from None


def _check_writable(value: Any, field: str) -> None:
    """Raises RowProblem for what cannot be stored as JSON, such as a date in a Parquet file."""
    try:
        check_characters(_encode(value).decode(), field)
    except (TypeError, ValueError, RecursionError):
        text = f"“{field}” cannot be written as JSON. Use texts, numbers, lists and objects."
        raise RowProblem("dataset:tools", field, text) from None
