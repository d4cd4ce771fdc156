"""The supported layouts of columns, and how each becomes a conversation."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from corpora.ingest.contracts import Message
from corpora.ingest.problems import RowProblem, joined, kind_of, shown

ROLES = ("system", "user", "assistant")
MESSAGE_KEYS = frozenset({"role", "content"})
EXPECTED = "messages, or prompt and completion, or instruction and output (and perhaps input), or text and label"

Raw = Mapping[Any, Any]


@dataclass(frozen=True)
class Layout:
    """`required` keys tell the layout; `optional` ones are read too; `messages` makes the conversation.

    The layouts of texts also have the first of the required for a `question` and the second for an answer.
    """

    name: str
    required: tuple[str, ...]
    optional: tuple[str, ...]
    messages: Callable[[Raw], tuple[Message, ...]]

    @property
    def fields(self) -> tuple[str, ...]:
        """All fields that a conversation is made from."""
        return self.required + self.optional


def detect_layout(keys: Iterable[Any]) -> Layout | None:
    """The layout whose required keys are all present."""
    present = set(keys)
    return next((layout for layout in LAYOUTS if present.issuperset(layout.required)), None)


def layout_named(name: str) -> Layout:
    """The layout of that name."""
    return next(layout for layout in LAYOUTS if layout.name == name)


def missing_columns(keys: Iterable[Any]) -> RowProblem:
    """The problem of keys that match no layout: one is missing, or all are unknown."""
    present = list(keys)
    for layout in LAYOUTS:
        lacking = [name for name in layout.required if name not in present]
        if len(lacking) < len(layout.required):
            text = f"“{lacking[0]}” is missing. Rows with “{_first(layout.required, present)}” need it too."
            return RowProblem("dataset:missing_field", lacking[0], text)
    named = f"It has: {joined(present)}." if present else "It has none."
    return RowProblem("missing_messages_list", "messages", f"A row needs {EXPECTED}. {named}")


def _first(names: Iterable[str], present: list[Any]) -> str:
    return next(name for name in names if name in present)


def _chat(raw: Raw) -> tuple[Message, ...]:
    turns = raw.get("messages")
    if turns is None:
        raise RowProblem(
            "missing_messages_list", "messages", "“messages” is missing. Add the list of turns, as in the first row."
        )
    if not isinstance(turns, list):
        raise RowProblem("data_type", "messages", "“messages” must be a list of turns with role and content.")
    messages = tuple(_turn(turn, f"messages[{index}]") for index, turn in enumerate(turns))
    if not any(message.role == "assistant" for message in messages):
        text = "The conversation has no answer. Add a turn with the role assistant at the end."
        raise RowProblem("example_missing_assistant_message", "messages", text)
    if messages[-1].role != "assistant":
        text = f"The last turn has the role {messages[-1].role}. Add the assistant’s answer, or remove this turn."
        raise RowProblem("dataset:answer_not_last", f"messages[{len(messages) - 1}].role", text)
    if not any(message.role == "user" for message in messages):
        text = "The conversation has no prompt. Add a turn with the role user before the answer."
        raise RowProblem("dataset:missing_prompt", "messages", text)
    return messages


def _turn(turn: Any, field: str) -> Message:
    if not isinstance(turn, dict):
        raise RowProblem("data_type", field, "Each turn must be an object with role and content.")
    for key in ("role", "content"):
        if key not in turn:
            raise RowProblem("message_missing_key", f"{field}.{key}", f"“{key}” is missing in this turn. Add it.")
    # Exports from typed tables have every key in every turn, with null for no value.
    for key, value in turn.items():
        if key not in MESSAGE_KEYS and value is not None:
            text = f"“{shown(key)}” is not a known key of a turn. Training uses role and content only. Remove it."
            raise RowProblem("message_unrecognized_key", f"{field}.{shown(key)}", text)
    role = turn["role"]
    if role not in ROLES:
        text = f"“{shown(role)}” is not a role. Use system, user or assistant."
        raise RowProblem("unrecognized_role", f"{field}.role", text)
    return Message(role, _text(turn["content"], f"{field}.content", code="missing_content"))


def _prompt(raw: Raw) -> tuple[Message, ...]:
    return (
        *_system(raw),
        Message("user", _text(raw.get("prompt"), "prompt")),
        Message("assistant", _text(raw.get("completion"), "completion")),
    )


def _instruction(raw: Raw) -> tuple[Message, ...]:
    instruction = _text(raw.get("instruction"), "instruction")
    extra = raw.get("input")
    if extra not in (None, ""):
        instruction = f"{instruction}\n\n{_text(extra, 'input')}"
    return *_system(raw), Message("user", instruction), Message("assistant", _text(raw.get("output"), "output"))


def _classification(raw: Raw) -> tuple[Message, ...]:
    label = raw.get("label")
    answer = str(label) if isinstance(label, int) and not isinstance(label, bool) else label
    return *_system(raw), Message("user", _text(raw.get("text"), "text")), Message("assistant", _text(answer, "label"))


def _system(raw: Raw) -> tuple[Message, ...]:
    system = raw.get("system")
    return () if system in (None, "") else (Message("system", _text(system, "system")),)


def _text(value: Any, field: str, *, code: str = "dataset:missing_field") -> str:
    """The value as text. Raises RowProblem if it is not usable text."""
    if value is None:
        raise RowProblem(code, field, f"“{field}” is missing. Add it, or remove the row.")
    if not isinstance(value, str):
        wrong = "missing_content" if code == "missing_content" else "data_type"
        text = f"“{field}” is {kind_of(value)}. Save it as text; in JSON, put it in quotes."
        raise RowProblem(wrong, field, text)
    if not value.strip():
        raise RowProblem(code, field, f"“{field}” is empty. Fill it in, or remove the row.")
    check_characters(value, field)
    return value


def check_characters(value: str, field: str) -> None:
    """Raises RowProblem for text that a database or tokenizer cannot store."""
    if "\0" in value:
        raise RowProblem("dataset:nul_character", field, "The text contains an invalid character (NUL). Remove it.")
    try:
        value.encode()
    except UnicodeEncodeError:
        text = "The text contains an invalid character (a lone surrogate). Enter or export it again."
        raise RowProblem("dataset:encoding", field, text) from None


LAYOUTS = (
    Layout("chat", ("messages",), (), _chat),
    Layout("prompt and completion", ("prompt", "completion"), ("system",), _prompt),
    Layout("instruction", ("instruction", "output"), ("input", "system"), _instruction),
    Layout("classification", ("text", "label"), ("system",), _classification),
)
