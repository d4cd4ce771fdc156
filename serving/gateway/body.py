"""Reads a request's body and makes of it what the endpoint is sent."""

import asyncio
from dataclasses import dataclass
from typing import Any

from starlette.requests import ClientDisconnect, Request

from lorakit.strict_json import read_json
from serving.gateway.errors import ClientClosed, GatewayError

MAX_BODY_BYTES = 6 * 1024 * 1024
LARGE_BODY_BYTES = 64 * 1024
"""Larger bodies are parsed in a thread."""

LONGEST_TOKEN = 128
"""Characters. The longest token of today's vocabularies is a run of 128 spaces."""

YES, NO = frozenset({"1", "true", "yes", "on"}), frozenset({"", "0", "false", "no", "off"})

CHOOSING = frozenset({"model", "adapters", "adapter", "lora_request"})
"""Members by which a server would take a model or an adapter from the body: `adapters` is LMI's."""


@dataclass(frozen=True, kw_only=True)
class Ask:
    """A request as far as the gateway reads it: the rest of `document` is the endpoint's to judge."""

    model: str
    document: dict[str, Any]
    streamed: bool
    wants_usage: bool
    wants_usage_always: bool
    wants_receipt: bool = False

    def for_endpoint(self) -> dict[str, Any]:
        """The same request without what could choose another model; the target names its own.

        A stream always tells its usage, to be metered, and in every event where the endpoint can (vLLM's
        `continuous_usage_stats`): a caller who hangs up does not wait for the last one.
        """
        document = {name: value for name, value in self.document.items() if name not in CHOOSING}
        if self.streamed:
            options = self.document.get("stream_options") or {}
            document["stream_options"] = {**options, "include_usage": True, "continuous_usage_stats": True}
        return document


async def read_ask(request: Request) -> Ask:
    """Parse the body; raises GatewayError naming what is wrong."""
    body = await _read(request)
    try:
        document = read_json(body) if len(body) < LARGE_BODY_BYTES else await asyncio.to_thread(read_json, body)
    except ValueError:
        raise GatewayError(400, "The body is not valid JSON.", "invalid_json") from None
    if not isinstance(document, dict):
        raise GatewayError(400, "The body must be a JSON object.", "invalid_json")
    model = document.get("model")
    if not isinstance(model, str) or not model:
        raise GatewayError(400, "`model` is required.", "missing_model", param="model")
    if not isinstance(document.get("stream", False), bool | None):
        raise GatewayError(400, "`stream` must be true or false.", "invalid_value", param="stream")
    options = document.get("stream_options")
    if options is not None and not isinstance(options, dict):
        raise GatewayError(400, "`stream_options` must be an object.", "invalid_value", param="stream_options")
    return Ask(
        model=model,
        document=document,
        streamed=document.get("stream") is True,
        wants_usage=bool(options and options.get("include_usage") is True),
        wants_usage_always=bool(options and options.get("continuous_usage_stats") is True),
        wants_receipt=_wants_receipt(request),
    )


def check_prompt(document: dict[str, Any], *, context: int) -> None:
    """Refuse a prompt that cannot fit `context` tokens however it is tokenised, so that no endpoint has to read it."""
    messages = document.get("messages")
    size = prompt_size(document.get("prompt") if messages is None else messages)
    if size > context * LONGEST_TOKEN:
        text = f"This model’s context is {context} tokens, which a prompt of {size} characters can’t fit."
        param = "prompt" if messages is None else "messages"
        raise GatewayError(400, text, "context_length_exceeded", param=param)


def prompt_size(value: Any) -> int:
    """Characters of a prompt: a text, token ids, or messages with text or parts; what has no text counts as one."""
    if isinstance(value, str):
        return len(value)
    if isinstance(value, list):
        return sum(map(prompt_size, value))
    if isinstance(value, dict):
        return prompt_size(value.get("content", value.get("text")))
    return 1


def _wants_receipt(request: Request) -> bool:
    asked = request.headers.get("x-receipt", "").strip().lower()
    if asked not in YES | NO:
        raise GatewayError(400, "`X-Receipt` must be 1 or 0.", "invalid_value", param="x-receipt")
    return asked in YES


async def _read(request: Request) -> bytes:
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > MAX_BODY_BYTES:
                limit = f"{MAX_BODY_BYTES // 2**20} MiB"
                raise GatewayError(413, f"The body is larger than {limit}.", "body_too_large")
    except ClientDisconnect:
        raise ClientClosed from None
    return bytes(body)
