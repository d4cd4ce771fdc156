"""What a model answered, gathered from a whole answer or from the events of its stream: both have the same hash."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lorakit.verify.jcs import canonical_json


@dataclass
class _Call:
    id: str = ""
    name: str = ""
    arguments: list[str] = field(default_factory=list)

    def to_dict(self) -> dict[str, str]:
        return {"id": self.id, "name": self.name, "arguments": "".join(self.arguments)}


@dataclass
class _Choice:
    text: list[str] = field(default_factory=list)
    calls: dict[int, _Call] = field(default_factory=dict)

    def add(self, said: Mapping[str, Any]) -> None:
        self.text.append(_text(said, "content") or _text(said, "text"))
        for place, part in enumerate(said.get("tool_calls") or ()):
            index = part.get("index")
            call = self.calls.setdefault(place if index is None else int(index), _Call())
            function = part.get("function") or {}
            call.id = call.id or _text(part, "id")
            call.name += _text(function, "name")
            call.arguments.append(_text(function, "arguments"))


class Transcript:
    """The text and the tool calls of each choice."""

    def __init__(self) -> None:
        self._choices: dict[int, _Choice] = {}

    def add(self, answer: Mapping[str, Any]) -> None:
        """Take over a whole answer of OpenAI's API, or one event of a stream. Raises ValueError for anything else."""
        try:
            for place, choice in enumerate(answer.get("choices") or ()):
                into = self._choices.setdefault(int(choice.get("index", place)), _Choice())
                into.add(choice.get("message") or choice.get("delta") or choice)
        except (AttributeError, TypeError, ValueError):
            raise ValueError("not an answer of OpenAI’s API") from None

    def add_text(self, text: str) -> None:
        """Take over the text of an answer that has only one choice and no tool calls."""
        self.add({"choices": [{"text": text}]})

    def sha256(self) -> str:
        """Of the choices in their order as canonical JSON, each with `index`, `text` and `tool_calls`."""
        choices = [
            {
                "index": index,
                "text": "".join(choice.text),
                "tool_calls": [call.to_dict() for _, call in sorted(choice.calls.items())],
            }
            for index, choice in sorted(self._choices.items())
        ]
        return hashlib.sha256(canonical_json(choices)).hexdigest()


def _text(member: Mapping[str, Any], name: str) -> str:
    value = member.get(name)
    if not isinstance(value, str | None):
        raise TypeError
    return value or ""
