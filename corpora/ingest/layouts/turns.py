"""Reads the turns of a conversation in any of the common notations.

OpenAI's (role and content, with weights, names, parts, tools), ShareGPT's (from and value), Gemini's (role and parts),
and those that Hugging Face `datasets` makes of them: lists of structs, structs of lists, and JSON in a text.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import jiter

from corpora.ingest.contracts import MAX_NAME_LENGTH, Role, ToolCall, Turn
from corpora.ingest.layouts.layout import check_characters, text_of
from corpora.ingest.layouts.parts import Parts, read_parts
from corpora.ingest.layouts.tools import CALLING_ROLES, called_in_text, tool_calls
from corpora.ingest.problems import RowProblem, shown

ROLES: dict[str, Role] = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "human": "user",
    "prompter": "user",
    "assistant": "assistant",
    "gpt": "assistant",
    "bot": "assistant",
    "chatbot": "assistant",
    "model": "assistant",
    "tool": "tool",
    "function": "tool",
    "observation": "tool",
    "tool_response": "tool",
    **dict.fromkeys(CALLING_ROLES, "assistant"),
}
ROLE_KEYS = ("role", "from")
CONTENT_KEYS = ("content", "value", "parts")
REASONING_KEYS = ("reasoning_content", "reasoning", "thinking")
WEIGHT_KEYS = ("weight", "train", "training", "loss")
"""Whether an answer is learnt: OpenAI's key, and those of axolotl and others."""

UNREAD_KEYS = frozenset(
    {"id", "refusal", "annotations", "audio", "created_at", "timestamp", "lang", "language", "prefix"}
)
"""Keys that say nothing about what a model reads or writes."""

NO_PARTS = Parts("", "", [], [])

READ_KEYS = frozenset(
    (*ROLE_KEYS, *CONTENT_KEYS, *REASONING_KEYS, *WEIGHT_KEYS, "name", "tool_calls", "tool_call_id", "function_call")
)


def notation(value: Any) -> Literal["", "chat", "ShareGPT"]:
    """The notation of a conversation: empty if the value is none, or does not tell."""
    first = value[0] if isinstance(value, list) and value else value
    if isinstance(first, Mapping):
        return "ShareGPT" if "from" in first else "chat" if "role" in first else ""
    return ""


def is_conversation(value: Any) -> bool:
    """Whether the value is, or may hold, a list of turns."""
    return bool(notation(value)) or (isinstance(value, str) and value.lstrip().startswith("[")) or value in (None, [])


def read_turns(value: Any, field: str) -> list[Turn]:
    """The turns of a list. Raises RowProblem."""
    return [said for index, turn in enumerate(_listed(value, field)) for said in _said(turn, f"{field}[{index}]")]


def check_conversation(turns: Sequence[Turn], field: str) -> list[Turn]:
    """The turns up to the last answer that is learnt, since nothing is learnt from what follows. Raises RowProblem."""
    if not any(turn.role == "assistant" for turn in turns):
        text = "The conversation has no answer. Add a turn with the role assistant at the end."
        raise RowProblem("example_missing_assistant_message", field, text)
    if turns[-1].role != "assistant":
        text = f"The last turn has the role {turns[-1].role}. Add the assistant’s answer, or remove this turn."
        raise RowProblem("dataset:answer_not_last", f"{field}[{len(turns) - 1}].role", text)
    if turns[0].role == "assistant" and not any(turn.role == "user" for turn in turns):
        text = "The conversation has no prompt. Add a turn with the role user before the answer."
        raise RowProblem("dataset:missing_prompt", field, text)
    learnt = [index for index, turn in enumerate(turns) if turn.role == "assistant" and turn.weight]
    if not learnt:
        text = "Every answer has the weight 0, so there is nothing to learn. Give one the weight 1, or remove the row."
        raise RowProblem("dataset:nothing_to_learn", field, text)
    if learnt[-1] == 0:
        text = "The first turn is the only answer to learn. Add the question before it."
        raise RowProblem("dataset:missing_prompt", field, text)
    return list(turns[: learnt[-1] + 1])


def _listed(value: Any, field: str) -> list[Any]:
    if value is None:
        raise RowProblem(
            "missing_messages_list", field, f"“{field}” is missing. Add the list of turns, as in the first row."
        )
    if isinstance(value, str):
        value = _parsed(value, field)
    if isinstance(value, Mapping):
        value = _by_turn(value)
    if not isinstance(value, list):
        raise RowProblem("data_type", field, f"“{field}” must be a list of turns with role and content.")
    return value


def _parsed(text: str, field: str) -> Any:
    """The list that stands in a text as JSON, as tables have it."""
    try:
        return jiter.from_json(text.encode(), allow_inf_nan=False, catch_duplicate_keys=True)
    except ValueError:
        if text.lstrip().startswith(("[{'", "[array(", "{'")):
            how = f"“{field}” is a list in Python’s notation. Write it as JSON (json.dumps) before you save the table."
        else:
            how = f"“{field}” is a text. It must be a list of turns with role and content, or the same as JSON."
        raise RowProblem("data_type", field, how) from None


def _by_turn(value: Mapping[Any, Any]) -> Any:
    """The turns of a struct of lists, as `datasets` writes a sequence of structs."""
    columns = {key: items for key, items in value.items() if items is not None}
    lists = all(isinstance(items, list) for items in columns.values())
    if not columns or not lists or len(set(map(len, columns.values()))) != 1:
        return value
    return [dict(zip(columns, turn, strict=True)) for turn in zip(*columns.values(), strict=True)]


def _said(turn: Any, field: str) -> list[Turn]:
    """The turns that one turn of the file says: what tools answered may stand in parts of a user's."""
    if not isinstance(turn, Mapping):
        raise RowProblem("data_type", field, "Each turn must be an object with role and content.")
    content_key = next((key for key in CONTENT_KEYS if isinstance(turn.get(key), list)), None)
    if content_key is None:
        return [_turn(turn, NO_PARTS, field)]
    parts = read_parts(turn[content_key], f"{field}.{content_key}")
    answers = [Turn("tool", text, tool_call_id=identifier) for identifier, text in parts.results]
    if answers and not (parts.text or parts.calls):
        return answers
    return [*answers, _turn({**turn, content_key: parts.text}, parts, field)]


def _turn(turn: Mapping[Any, Any], parts: Parts, field: str) -> Turn:
    role_key = _only(turn, ROLE_KEYS, field)
    # Exports from typed tables have every key in every turn, with null for no value.
    given = {key: value for key, value in turn.items() if value is not None and key not in UNREAD_KEYS}
    calls = given.get("tool_calls") or given.get("function_call") or parts.calls
    content_key = _only(turn, CONTENT_KEYS, field, optional=calls)
    content, where = turn.get(content_key), f"{field}.{content_key}"
    given |= {"reasoning": parts.reasoning} if parts.reasoning else {}
    for key in given:
        if key not in READ_KEYS:
            text = f"“{shown(key)}” is not a known key of a turn. It would not be used. Remove it."
            raise RowProblem("message_unrecognized_key", f"{field}.{shown(key)}", text)
    name = turn[role_key].lower() if isinstance(turn[role_key], str) else ""
    role = ROLES.get(name)
    if role is None:
        text = f"“{shown(turn[role_key])}” is not a role. Use system, user, assistant or tool."
        raise RowProblem("unrecognized_role", f"{field}.{role_key}", text)
    if role != "assistant" and calls:
        raise RowProblem(
            "dataset:tools", f"{field}.tool_calls", f"This turn’s role is {role}. Only answers call tools."
        )
    called: tuple[ToolCall, ...] = ()
    if name in CALLING_ROLES:
        content, called = "", called_in_text(content, where)
    elif role == "tool" and isinstance(content, str):
        # A tool may have nothing to say.
        check_characters(content, where)
    elif calls and content in (None, ""):
        content = ""
    else:
        content = text_of(content, where, code="missing_content")
    if role != "assistant":
        answered = _short(given, "tool_call_id", field) if role == "tool" else ""
        return Turn(role, content, name=_short(given, "name", field), tool_call_id=answered)
    return Turn(
        role,
        content,
        name=_short(given, "name", field),
        weight=_weight(given, field),
        reasoning_content=_reasoning(given, field),
        tool_calls=called or tool_calls(calls, f"{field}.tool_calls"),
    )


def _only(turn: Mapping[Any, Any], keys: tuple[str, ...], field: str, *, optional: Any = False) -> str:
    """The first of the keys that the turn has. Raises RowProblem."""
    for key in keys:
        if key in turn:
            return key
    if optional:
        return keys[0]
    raise RowProblem("message_missing_key", f"{field}.{keys[0]}", f"“{keys[0]}” is missing in this turn. Add it.")


def _reasoning(given: Mapping[Any, Any], field: str) -> str:
    key = next((key for key in REASONING_KEYS if given.get(key)), "")
    return text_of(given[key], f"{field}.{key}") if key else ""


def _short(given: Mapping[Any, Any], key: str, field: str) -> str:
    value = given.get(key, "")
    if not isinstance(value, str) or len(value) > MAX_NAME_LENGTH:
        text = f"“{key}” must be a text of at most {MAX_NAME_LENGTH} characters."
        raise RowProblem("data_type", f"{field}.{key}", text)
    check_characters(value, f"{field}.{key}")
    return value


def _weight(given: Mapping[Any, Any], field: str) -> Literal[0, 1]:
    for key in WEIGHT_KEYS:
        value = given.get(key)
        if value is None:
            continue
        if value in (0, 1):
            return 1 if value else 0
        text = f"“{shown(value)}” is not a weight. Use 1 for an answer to learn and 0 for one that is only read."
        raise RowProblem("dataset:weight", f"{field}.{key}", text)
    return 1
