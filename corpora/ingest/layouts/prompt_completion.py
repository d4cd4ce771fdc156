"""A question and an answer: {"prompt", "completion"}, each a text or a list of turns."""

from typing import Any

from corpora.ingest.contracts import Turn
from corpora.ingest.layouts.layout import Layout, Raw, text_of
from corpora.ingest.layouts.system import SYSTEM_NAMES, system_turns
from corpora.ingest.layouts.tools import called_instead
from corpora.ingest.layouts.turns import check_conversation, notation, read_turns

QUESTIONS = ("query", "question", "questions", "request", "user", "input", "inputs", "input_text", "problem")
ANSWERS = (
    "response", "answer", "answers", "reply", "assistant", "output", "target", "targets", "output_text", "solution",
)  # fmt: skip


def pair(raw: Raw, question: str, answer: str) -> list[Turn]:
    """The conversation of a question and an answer; an empty question is allowed."""
    asked, answered = raw.get(question), raw.get(answer)
    if isinstance(asked, dict) and "messages" in asked:
        asked = asked["messages"]
    if not notation(asked) and not notation(answered) and not (raw.get("tools") and called_instead(answered, answer)):
        return [
            *system_turns(raw),
            Turn("user", _question(asked, question)),
            Turn("assistant", text_of(answered, answer)),
        ]
    asking = read_turns(asked, question) if notation(asked) else [Turn("user", text_of(asked, question))]
    answering = _answering(raw, answered, answer)
    if any(turn.role == "user" for turn in answering):
        # The answer repeats the whole conversation.
        asking = []
    turns = [*asking, *answering]
    if not any(turn.role == "system" for turn in turns):
        turns = [*system_turns(raw), *turns]
    return check_conversation(turns, answer)


def _answering(raw: Raw, answered: Any, field: str) -> list[Turn]:
    if raw.get("tools") and (calls := called_instead(answered, field)):
        return [Turn("assistant", "", tool_calls=calls)]
    if isinstance(answered, dict):
        answered = [answered]
    return read_turns(answered, field) if notation(answered) else [Turn("assistant", text_of(answered, field))]


def _question(value: Any, field: str) -> str:
    return "" if value == "" else text_of(value, field)


def _turns(raw: Raw) -> list[Turn]:
    return pair(raw, "prompt", "completion")


PROMPT_COMPLETION = Layout(
    "prompt and completion",
    required=("prompt", "completion"),
    optional=("system", "tools"),
    turns=_turns,
    aliases={"prompt": QUESTIONS, "completion": ANSWERS, "system": SYSTEM_NAMES},
)
