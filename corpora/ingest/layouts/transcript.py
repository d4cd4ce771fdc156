"""Conversations written out in one text: {"text": "### Human: … ### Assistant: …"}, or with another model's markers.

Guanaco, Vicuna, Anthropic's HH-RLHF and Glaive have such texts, and files made with a model's chat template.
"""

import re
from typing import Any

from corpora.ingest.contracts import Function, Role, ToolCall, Turn
from corpora.ingest.layouts.layout import Layout, Raw, text_of
from corpora.ingest.layouts.system import SYSTEM_NAMES, system_turns
from corpora.ingest.layouts.tools import json_in
from corpora.ingest.layouts.turns import check_conversation
from corpora.ingest.problems import RowProblem

SPEAKERS: dict[str, Role] = {
    "system": "system",
    "human": "user",
    "user": "user",
    "instruction": "user",
    "input": "user",
    "[inst]": "user",
    "assistant": "assistant",
    "response": "assistant",
    "[/inst]": "assistant",
    "tool": "tool",
    "function response": "tool",
}
MARKERS = (
    re.compile(r"<\|im_start\|>\s*(system|user|assistant|tool)\b", re.IGNORECASE),
    re.compile(r"<\|start_header_id\|>\s*(system|user|assistant)\s*<\|end_header_id\|>", re.IGNORECASE),
    re.compile(r"(\[/?INST\])"),
    re.compile(r"#{2,3} ?(System|Human|User|Assistant|Instruction|Input|Response) ?:", re.IGNORECASE),
    re.compile(r"(?:^|(?<=\s)|(?<=>))(SYSTEM|USER|ASSISTANT|FUNCTION RESPONSE):"),
    re.compile(r"^[ \t]*(System|Human|User|Assistant):", re.MULTILINE),
)
"""How a turn begins in each notation. The first of these that gives a question and an answer is the text's."""

_TOKENS = re.compile(r"<s>|</s>|<\|(?:im_end|endoftext|eot_id|begin_of_text|end_of_text)\|>")
_SYSTEM = re.compile(r"<<SYS>>(.*?)<</SYS>>", re.DOTALL)
_CALL = re.compile(r"""<functioncall>\s*\{\s*"name":\s*"([^"]+)",\s*"arguments":\s*'?(\{.*\})'?\s*\}""", re.DOTALL)


def is_transcript(value: Any) -> bool:
    """Whether the value is a text with the markers of a question and an answer."""
    return isinstance(value, str) and _marker_of(value) is not None


def read_transcript(text: str, field: str) -> list[Turn]:
    """The turns of a text; what is in front of the first is instructions for the model. Raises RowProblem."""
    marker = _marker_of(text)
    if marker is None:
        wrong = f"“{field}” has no question and answer with markers such as “### Human:” and “### Assistant:”."
        raise RowProblem("data_type", field, wrong)
    before, *parts = marker.split(text)
    turns = [*_told(_plain(before))]
    for speaker, said in zip(parts[::2], parts[1::2], strict=True):
        role, content = SPEAKERS[speaker.lower()], _plain(said)
        if role == "user" and (system := _SYSTEM.search(content)):
            turns += _told(system[1].strip())
            content = _plain(_SYSTEM.sub("", content))
        if not content and role == "user" and speaker.lower() == "input":
            continue
        if turns and turns[-1].role == role == "user":
            content = f"{turns.pop().content}\n\n{content}"
        turns.append(_turn(role, content, f"{field}[{len(turns)}]"))
    return turns


def _marker_of(text: str) -> re.Pattern[str] | None:
    for marker in MARKERS:
        roles = {SPEAKERS[speaker.lower()] for speaker in marker.findall(text)}
        if {"user", "assistant"} <= roles:
            return marker
    return None


def _plain(text: str) -> str:
    return _TOKENS.sub("", text).strip()


def _told(instructions: str) -> list[Turn]:
    return [Turn("system", instructions)] if instructions else []


def _turn(role: Role, content: str, field: str) -> Turn:
    if role == "tool":
        return Turn(role, content)
    if role == "assistant" and (call := _CALL.search(content)):
        arguments = json_in(call[2], field)
        if isinstance(arguments, dict):
            called = ToolCall(Function(call[1], arguments), "function")
            return Turn(role, _plain(_CALL.sub("", content)), tool_calls=(called,))
    return Turn(role, text_of(content, field, code="missing_content"))


def _turns(raw: Raw) -> list[Turn]:
    turns = read_transcript(text_of(raw.get("text"), "text"), "text")
    if turns[0].role != "system":
        told = [Turn("system", turn.content.removeprefix("SYSTEM:").strip()) for turn in system_turns(raw)]
        turns = [*told, *turns]
    return check_conversation(turns, "text")


def _fits(raw: Raw) -> bool:
    return is_transcript(raw["text"])


TRANSCRIPT = Layout(
    "transcript",
    required=("text",),
    optional=("system", "tools"),
    turns=_turns,
    fits=_fits,
    aliases={"text": ("chat", "conversation", "transcript"), "system": SYSTEM_NAMES},
    by_column=False,
)
