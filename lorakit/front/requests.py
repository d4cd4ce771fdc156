"""Checks a request before it costs any GPU, and says what is wrong as OpenAI's API does."""

import json
from dataclasses import dataclass
from typing import Any, Literal

from lorakit.strict_json import read_json

Kind = Literal["chat", "completion"]

MAX_BODY_BYTES = 5 * 1024 * 1024
"""Lambda takes 6 MB, in base64 too."""

ROLES = frozenset({"system", "developer", "user", "assistant", "tool"})
CHOOSING = frozenset({"model", "adapters", "adapter", "lora_request"})
"""Members by which a container would take a model or an adapter from the body."""


class FrontError(Exception):
    """A refused request, with its HTTP status and OpenAI's code."""

    def __init__(self, status: int, text: str, code: str, param: str | None = None) -> None:
        super().__init__(text)
        self.status = status
        self.text = text
        self.code = code
        self.param = param

    def body(self) -> bytes:
        """The error in OpenAI's format."""
        kind = "invalid_request_error" if self.status < 500 else "server_error"
        error = {"message": self.text, "type": kind, "param": self.param, "code": self.code}
        return json.dumps({"error": error}).encode()


@dataclass(frozen=True, kw_only=True)
class FrontRequest:
    """A checked request: the name it asks for, and the whole document."""

    model: str
    document: dict[str, Any]

    def for_endpoint(self) -> dict[str, Any]:
        """The same without what could choose another model: the component alone does."""
        return {name: value for name, value in self.document.items() if name not in CHOOSING}


def read_request(body: bytes, kind: Kind) -> FrontRequest:
    """Raises FrontError naming what is wrong."""
    if len(body) > MAX_BODY_BYTES:
        raise FrontError(413, f"The body is larger than {MAX_BODY_BYTES // 2**20} MiB.", "body_too_large")
    try:
        document = read_json(body)
    except ValueError:
        raise FrontError(400, "The body is not valid JSON.", "invalid_json") from None
    if not isinstance(document, dict):
        raise FrontError(400, "The body must be a JSON object.", "invalid_json")
    model = document.get("model")
    if not isinstance(model, str) or not model:
        raise _invalid("model", "name a model.")
    if document.get("stream"):
        raise _invalid("stream", "this front answers in one piece. Ask the portal’s gateway for streams.")
    if kind == "chat":
        _check_messages(document.get("messages"))
    elif not _is_prompt(document.get("prompt")):
        raise _invalid("prompt", "this must be a text.")
    return FrontRequest(model=model, document=document)


def _check_messages(messages: Any) -> None:
    if not isinstance(messages, list) or not messages:
        raise _invalid("messages", "this must be a list with at least one message.")
    for number, message in enumerate(messages, start=1):
        if not isinstance(message, dict) or message.get("role") not in ROLES:
            raise _invalid("messages", f"message {number} needs the role system, user, assistant or tool.")
        if not isinstance(message.get("content"), str | list | None):
            raise _invalid("messages", f"the content of message {number} must be a text or a list of parts.")


def _is_prompt(value: Any) -> bool:
    if isinstance(value, list):
        return bool(value) and all(isinstance(item, str | int) and not isinstance(item, bool) for item in value)
    return isinstance(value, str) and bool(value)


def _invalid(param: str, text: str) -> FrontError:
    return FrontError(400, f"{param}: {text}", "invalid_value", param)
