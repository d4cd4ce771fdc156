"""What the gateway makes of streams and errors that a well-behaved engine does not send."""

import asyncio
import json
from collections.abc import AsyncIterator
from uuid import uuid4

import httpx
import pytest

from serving.backends.base import Target
from serving.gateway.body import Ask
from serving.gateway.database import Caller
from serving.gateway.errors import GatewayError
from serving.gateway.forward import forwarded
from serving.gateway.record import Tally
from serving.gateway.relay import relay

TARGET = Target(url="http://engine/v1", model="secret-deployment-name")


class Chunks(httpx.AsyncByteStream):
    def __init__(self, *chunks: bytes | Exception) -> None:
        self._chunks = chunks

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for chunk in self._chunks:
            if isinstance(chunk, Exception):
                raise chunk
            yield chunk


def ask(
    response: httpx.Response | Exception, *, wants_usage: bool = False, wants_usage_always: bool = False
) -> tuple[list[str], Tally]:
    """The events relayed from an engine that gives this response."""

    def answer(request: httpx.Request) -> httpx.Response:
        if isinstance(response, Exception):
            raise response
        return response

    async def run() -> tuple[list[str], Tally]:
        tally = Tally(caller=Caller(tenant_id=uuid4(), key_id=uuid4()))
        async with (
            httpx.AsyncClient(transport=httpx.MockTransport(answer)) as client,
            forwarded(client, TARGET, "/chat/completions", {}, alias="legal") as opened,
        ):
            asked = Ask(
                model="legal",
                document={},
                streamed=True,
                wants_usage=wants_usage,
                wants_usage_always=wants_usage_always,
            )
            events = relay(opened, tally, asked, alias="legal")
            return [event async for event in events], tally

    return asyncio.run(run())


def event(**data: object) -> bytes:
    return b"data: " + json.dumps(data, ensure_ascii=False).encode() + b"\n\n"


def piece(text: str) -> bytes:
    return event(model=TARGET.model, choices=[{"index": 0, "delta": {"content": text}}])


USAGE = {"prompt_tokens": 5, "completion_tokens": 7}


def test_events_cut_anywhere_come_out_whole() -> None:
    # U+2028 ends a line for Python, but not for server-sent events.
    whole = piece("one\u2028two") + b": a comment\r\n\r\n" + piece("é") + b"data: [DONE]\r\n\r\n"
    for size in (1, 7, 1000):
        chunks = [whole[i : i + size] for i in range(0, len(whole), size)]
        events, tally = ask(httpx.Response(200, stream=Chunks(*chunks)))
        texts = [json.loads(e[6:])["choices"][0]["delta"]["content"] for e in events]
        assert texts == ["one\u2028two", "é"]
        assert all(json.loads(e[6:])["model"] == "legal" for e in events)
        assert tally.completion_tokens == 2


def test_the_engines_own_count_wins() -> None:
    stream = Chunks(piece("a"), event(choices=[], usage=USAGE, busy_ms=12.5), b"data: [DONE]\n\n")
    events, tally = ask(httpx.Response(200, stream=stream))
    assert len(events) == 1
    assert (tally.prompt_tokens, tally.completion_tokens, tally.busy_ms) == (5, 7, 12.5)


@pytest.mark.parametrize("always", [True, False])
def test_usage_in_every_event_is_counted_and_shown_to_who_asked(always: bool) -> None:
    so_far = [{"prompt_tokens": 5, "completion_tokens": n, "total_tokens": 5 + n} for n in (2, 3)]
    choices = [{"index": 0, "text": "x"}]
    stream = Chunks(*(event(choices=choices, usage=usage, busy_ms=1.5) for usage in so_far), b"data: [DONE]\n\n")
    events, tally = ask(httpx.Response(200, stream=stream), wants_usage_always=always)
    assert [json.loads(e[6:]).get("usage") for e in events] == (so_far if always else [None, None])
    assert not any("busy_ms" in e for e in events)
    assert (tally.prompt_tokens, tally.completion_tokens, tally.busy_ms) == (5, 3, 1.5)


@pytest.mark.parametrize(
    ("chunks", "status", "code"),
    [
        ((piece("a"),), 502, "stream_broken"),
        ((piece("a"), event(error={"message": "boom"})), 502, "endpoint_error"),
        ((b"data: not json\n\n",), 502, "endpoint_error"),
        ((b"data: [1]\n\n",), 502, "endpoint_error"),
        ((piece("a"), httpx.ReadError("reset")), 503, "endpoint_unavailable"),
        ((piece("a"), httpx.ReadTimeout("slow")), 504, "endpoint_timeout"),
    ],
)
def test_a_stream_that_breaks_is_an_error(chunks: tuple[bytes | Exception, ...], status: int, code: str) -> None:
    with pytest.raises(GatewayError) as broken:
        ask(httpx.Response(200, stream=Chunks(*chunks)))
    assert (broken.value.status, broken.value.code) == (status, code)


def told(status: int, message: str = "", **headers: str) -> httpx.Response:
    body = {"error": {"message": message, "code": "engine_code", "param": "messages"}}
    return httpx.Response(status, json=body, headers=headers)


@pytest.mark.parametrize(
    ("response", "status", "code", "text", "retry_after"),
    [
        (told(400, "Too long for secret-deployment-name."), 400, "engine_code", "Too long for legal.", None),
        (told(422, ""), 422, "engine_code", "rejected this request", None),
        (httpx.Response(400, text="<html>"), 400, "invalid_request", "rejected this request", None),
        (httpx.Response(400, json=["x"]), 400, "invalid_request", "rejected this request", None),
        (told(401, "the engine's key is wrong"), 503, "endpoint_unavailable", "not responding", 5),
        (told(404, "no secret-deployment-name"), 503, "endpoint_unavailable", "not responding", 5),
        (told(429, "Slow down.", **{"retry-after": "9"}), 429, "engine_code", "Slow down.", 9),
        (told(503, "Full."), 503, "engine_code", "Full.", 5),
        (told(500, "stack trace of secret-deployment-name"), 502, "endpoint_error", "failed on this", None),
        (httpx.ConnectError("10.1.2.3 refused"), 503, "endpoint_unavailable", "not responding", 5),
        (httpx.ReadTimeout("slow"), 504, "endpoint_timeout", "too long", None),
    ],
)
def test_an_engines_error_is_told_as_what_it_means(
    response: httpx.Response | Exception, status: int, code: str, text: str, retry_after: int | None
) -> None:
    with pytest.raises(GatewayError) as refused:
        ask(response)
    error = refused.value
    assert (error.status, error.code, error.retry_after) == (status, code, retry_after)
    assert text in error.text
    assert "secret" not in error.text
