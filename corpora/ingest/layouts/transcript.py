"""Conversations written out in one text: {"text": "### Human: … ### Assistant: …"}, or with another model's markers.

Guanaco, Vicuna, Anthropic's HH-RLHF and Glaive have such texts, and files made with a model's chat template.
"""

import re
from collections.abc import Iterator
from itertools import groupby
from typing import Any

from corpora.ingest.contracts import Role, Turn
from corpora.ingest.layouts.layout import Layout, Raw, check_characters, text_of
from corpora.ingest.layouts.system import SYSTEM_NAMES, system_turns
from corpora.ingest.layouts.tools import json_in, tool_calls
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
_CALL = re.compile(r"""\{\s*"name":\s*"([^"]+)",\s*"arguments":\s*'?(\{.*\})'?\s*\}""", re.DOTALL)


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
    told = _plain(before)
    turns = [Turn("system", told)] if told else []
    for role, content in _said(parts):
        instructions, asked = _apart(content) if role == "user" else ("", content)
        if instructions:
            turns.append(Turn("system", instructions))
        turns.append(_turn(role, asked, f"{field}[{len(turns)}]"))
    return turns


def _said(parts: list[str]) -> Iterator[tuple[Role, str]]:
    """(role, text) of each turn. What a user says in several, such as an instruction and an input, is one."""
    for role, group in groupby(zip(parts[::2], parts[1::2], strict=True), lambda part: SPEAKERS[part[0].lower()]):
        texts = [_plain(text) for _, text in group]
        if role == "user":
            texts = ["\n\n".join(filter(None, texts))]
        for text in texts:
            yield role, text


def _apart(content: str) -> tuple[str, str]:
    """Llama 2's instructions for the model, and the question behind them."""
    before, opened, rest = content.partition("<<SYS>>")
    instructions, closed, question = rest.partition("<</SYS>>")
    return (instructions.strip(), f"{before}{question}".strip()) if opened and closed else ("", content)


def _marker_of(text: str) -> re.Pattern[str] | None:
    for marker in MARKERS:
        roles = {SPEAKERS[speaker.lower()] for speaker in marker.findall(text)}
        if {"user", "assistant"} <= roles:
            return marker
    return None


def _plain(text: str) -> str:
    return _TOKENS.sub("", text).strip()


def _turn(role: Role, content: str, field: str) -> Turn:
    if role == "tool":
        check_characters(content, field)
        return Turn(role, content)
    before, found, rest = content.partition("<functioncall>")
    if found and role == "assistant" and (call := _CALL.fullmatch(rest.strip())):
        arguments = json_in(call[2], field)
        if isinstance(arguments, dict):
            check_characters(before, field)
            return Turn(role, before.strip(), tool_calls=tool_calls({"name": call[1], "arguments": arguments}, field))
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
