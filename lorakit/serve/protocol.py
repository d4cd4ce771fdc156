"""OpenAI's API: the accepted requests, and the shape of the responses."""

import time
from dataclasses import dataclass, field
from typing import Any

from lorakit.rows import Message, Tool
from lorakit.serve.decode import Sampling
from lorakit.serve.errors import ApiError, invalid
from lorakit.serve.messages import parse_messages, parse_tools
from lorakit.strict_json import read_json

UNSUPPORTED = {
    "n": 1,
    "best_of": 1,
    "logprobs": False,
    "top_logprobs": 0,
    "echo": False,
    "frequency_penalty": 0,
    "presence_penalty": 0,
    "logit_bias": {},
    "functions": [],
    "suffix": "",
    "response_format": {"type": "text"},
}
"""Options that would change the answer, each with the only accepted value, which has no effect."""


@dataclass(frozen=True)
class Ask:
    """A checked request; exactly one of `messages` and `prompt` is set, and `tools` only with messages."""

    model: str
    messages: list[Message] | None
    prompt: str | None
    max_tokens: int | None
    sampling: Sampling
    stop: list[str] = field(default_factory=list)
    tools: list[Tool] = field(default_factory=list)
    stream: bool = False
    include_usage: bool = False
    continuous_usage: bool = False


def parse_ask(body: bytes, *, chat: bool) -> Ask:
    """Parse and check the body of a completion request. Raises `ApiError`."""
    try:
        data = read_json(body)
    except ValueError:
        raise ApiError(400, "The body is not valid JSON.", "invalid_json") from None
    if not isinstance(data, dict):
        raise ApiError(400, "The body must be a JSON object.", "invalid_json")
    model = data.get("model")
    if not isinstance(model, str) or not model:
        raise invalid("model", "this must be the name of a model.")
    for name, neutral in (UNSUPPORTED if chat else UNSUPPORTED | {"tools": []}).items():
        if data.get(name) not in (None, neutral):
            raise ApiError(400, f"{name} is not supported by this server.", "unsupported_parameter", name)
    options = data.get("stream_options") or {}
    if not isinstance(options, dict):
        raise invalid("stream_options", "this must be an object.")
    return Ask(
        model=model,
        messages=parse_messages(data.get("messages")) if chat else None,
        prompt=None if chat else parse_prompt(data.get("prompt")),
        max_tokens=parse_limit(data, None if chat else 16),
        sampling=parse_sampling(data),
        stop=parse_stop(data.get("stop")),
        tools=parse_tools(data) if chat else [],
        stream=data.get("stream") is True,
        include_usage=options.get("include_usage") is True,
        continuous_usage=options.get("continuous_usage_stats") is True,
    )


def parse_integer(data: dict[str, Any], name: str, low: int, high: int) -> int | None:
    """A whole number within bounds, or None if it is missing."""
    value = data.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise invalid(name, f"this must be a whole number from {low} to {high}.")
    return value


def parse_fraction(data: dict[str, Any], name: str, high: float) -> float:
    """A number from 0 to `high`; defaults to 1, as in OpenAI's API."""
    value = data.get(name)
    if value is None:
        return 1.0
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= high:
        raise invalid(name, f"this must be a number from 0 to {high:g}.")
    return float(value)


def parse_sampling(data: dict[str, Any]) -> Sampling:
    """The sampling options of a request."""
    return Sampling(
        temperature=parse_fraction(data, "temperature", 2.0),
        top_p=parse_fraction(data, "top_p", 1.0),
        seed=parse_integer(data, "seed", -(2**63), 2**63 - 1),
    )


def parse_limit(data: dict[str, Any], default: int | None) -> int | None:
    """The maximum number of tokens of the answer, under either of its names."""
    name = "max_tokens" if data.get("max_completion_tokens") is None else "max_completion_tokens"
    limit = parse_integer(data, name, 1, 1_000_000)
    return default if limit is None else limit


def parse_prompt(value: Any) -> str:
    """A text prompt."""
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if not isinstance(value, str) or not value:
        raise invalid("prompt", "this must be a string.")
    return value


def parse_stop(value: Any) -> list[str]:
    """Up to four stop strings."""
    marks = [value] if isinstance(value, str) else value or []
    if not isinstance(marks, list) or len(marks) > 4 or not all(isinstance(m, str) and m for m in marks):
        raise invalid("stop", "this must be a string or a list of up to four strings.")
    return marks


@dataclass(frozen=True)
class Reply:
    """The fields shared by all parts of an answer."""

    id: str
    model: str
    fingerprint: str
    chat: bool
    created: int = field(default_factory=lambda: int(time.time()))

    def whole(self, text: str, finish: str, usage: dict[str, int]) -> dict[str, Any]:
        """The answer in one piece."""
        choice: dict[str, Any] = {"index": 0, "finish_reason": finish, "logprobs": None}
        if self.chat:
            choice["message"] = {"role": "assistant", "content": text}
        else:
            choice["text"] = text
        kind = "chat.completion" if self.chat else "text_completion"
        return {**self._head(kind), "choices": [choice], "usage": usage}

    def piece(self, text: str, *, first: bool = False, finish: str | None = None) -> dict[str, Any]:
        """One event of a streamed answer."""
        choice: dict[str, Any] = {"index": 0, "finish_reason": finish, "logprobs": None}
        if self.chat:
            delta = {"content": text} if text or first else {}
            choice["delta"] = {"role": "assistant", **delta} if first else delta
        else:
            choice["text"] = text
        kind = "chat.completion.chunk" if self.chat else "text_completion"
        return {**self._head(kind), "choices": [choice]}

    def closing(self) -> dict[str, Any]:
        """The last event, which takes the usage if the client requested it."""
        kind = "chat.completion.chunk" if self.chat else "text_completion"
        return {**self._head(kind), "choices": []}

    def _head(self, kind: str) -> dict[str, Any]:
        return {
            "id": self.id,
            "object": kind,
            "created": self.created,
            "model": self.model,
            "system_fingerprint": self.fingerprint,
        }


def usage_of(prompt: int, completion: int) -> dict[str, int]:
    """Token counts in OpenAI's format."""
    return {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}
