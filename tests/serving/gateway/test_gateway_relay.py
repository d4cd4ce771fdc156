"""What the gateway makes of streams and errors that a well-behaved engine does not send."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import aiohttp
import pytest

from serving.backends.target import OpenAITarget
from serving.gateway import forward, waiting
from serving.gateway.body import Ask
from serving.gateway.database import Caller
from serving.gateway.errors import GatewayError
from serving.gateway.forward import forwarded, new_client
from serving.gateway.record import Tally
from serving.gateway.relay import relay
from serving.gateway.waiting import WaitingRoom

TARGET = OpenAITarget(url="http://engine/v1", model="secret-deployment-name")


@pytest.fixture(autouse=True)
def nobody_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "HELD_SECONDS", 0.0)


class Engine:
    """Stands for an aiohttp client and for the response that it gets, whose chunks may be errors."""

    def __init__(self, *chunks: bytes | Exception, status: int = 200, headers: dict[str, str] | None = None) -> None:
        self._chunks = chunks
        self.status = status
        self.headers = headers or {}
        self.content = self

    def post(self, url: str, **options: object) -> "Engine":
        return self

    async def __aenter__(self) -> "Engine":
        if self._chunks and self.status == 0:
            raise self._chunks[0]  # type: ignore[misc]
        return self

    async def __aexit__(self, *error: object) -> None:
        pass

    async def readany(self) -> bytes:
        return b""

    async def iter_any(self) -> AsyncIterator[bytes]:
        for chunk in self._chunks:
            if isinstance(chunk, Exception):
                raise chunk
            yield chunk

    async def read(self) -> bytes:
        return b"".join([chunk async for chunk in self.iter_any()])


def unreachable(error: Exception) -> Engine:
    return Engine(error, status=0)


def ask(engine: Engine, *, wants_usage: bool = False, wants_usage_always: bool = False) -> tuple[list[bytes], Tally]:
    """The events relayed from an engine."""

    async def run() -> tuple[list[bytes], Tally]:
        tally = Tally(caller=Caller(tenant_id=uuid4(), key_id=uuid4()))
        asked = Ask(
            model="legal", document={}, streamed=True, wants_usage=wants_usage, wants_usage_always=wants_usage_always
        )
        client: Any = engine
        room = WaitingRoom()
        async with forwarded(client, room, TARGET, "/chat/completions", {}, alias="legal", tally=tally) as opened:
            return [event async for event in relay(opened, tally, asked, alias="legal", decode=bytes)], tally

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
        events, tally = ask(Engine(*chunks))
        texts = [json.loads(e[6:])["choices"][0]["delta"]["content"] for e in events]
        assert texts == ["one\u2028two", "é"]
        assert all(json.loads(e[6:])["model"] == "legal" for e in events)
        assert tally.completion_tokens == 2


def test_the_engines_own_count_wins() -> None:
    told = {"busy_ms": 12.5, "queue_ms": 3.0, "cold_start": True}
    usage = {**USAGE, "prompt_tokens_details": {"cached_tokens": 4}}
    events, tally = ask(Engine(piece("a"), event(choices=[], usage=usage, **told), b"data: [DONE]\n\n"))
    assert len(events) == 1
    assert (tally.prompt_tokens, tally.completion_tokens, tally.busy_ms) == (5, 7, 12.5)
    assert (tally.queue_ms, tally.cold_start, tally.cached_tokens) == (3.0, True, 4)


@pytest.mark.parametrize("always", [True, False])
def test_usage_in_every_event_is_counted_and_shown_to_who_asked(always: bool) -> None:
    so_far = [{"prompt_tokens": 5, "completion_tokens": n, "total_tokens": 5 + n} for n in (2, 3)]
    choices = [{"index": 0, "text": "x"}]
    told = {"busy_ms": 1.5, "queue_ms": 0.5}
    stream = Engine(*(event(choices=choices, usage=usage, **told) for usage in so_far), b"data: [DONE]\n\n")
    events, tally = ask(stream, wants_usage_always=always)
    assert [json.loads(e[6:]).get("usage") for e in events] == (so_far if always else [None, None])
    assert not any(b"_ms" in e for e in events)
    assert (tally.prompt_tokens, tally.completion_tokens, tally.busy_ms) == (5, 3, 1.5)


@pytest.mark.parametrize(
    ("chunks", "status", "code"),
    [
        ((piece("a"),), 502, "stream_broken"),
        ((piece("a"), event(error={"message": "boom"})), 502, "endpoint_error"),
        ((b"data: not json\n\n",), 502, "endpoint_error"),
        ((b"data: [1]\n\n",), 502, "endpoint_error"),
        ((b'data: "\xff"\n\n',), 502, "endpoint_error"),
        ((piece("a"), aiohttp.ClientPayloadError("reset")), 503, "endpoint_unavailable"),
        ((piece("a"), aiohttp.SocketTimeoutError("slow")), 504, "endpoint_timeout"),
    ],
)
def test_a_stream_that_breaks_is_an_error(chunks: tuple[bytes | Exception, ...], status: int, code: str) -> None:
    with pytest.raises(GatewayError) as broken:
        ask(Engine(*chunks))
    assert (broken.value.status, broken.value.code) == (status, code)


def told(status: int, message: str = "", **headers: str) -> Engine:
    body = {"error": {"message": message, "code": "engine_code", "param": "messages"}}
    return Engine(json.dumps(body).encode(), status=status, headers=headers)


@pytest.mark.parametrize(
    ("response", "status", "code", "text", "retry_after"),
    [
        (told(400, "Too long for secret-deployment-name."), 400, "engine_code", "Too long for legal.", None),
        (told(422, ""), 422, "engine_code", "rejected this request", None),
        (Engine(b"<html>", status=400), 400, "invalid_request", "rejected this request", None),
        (Engine(b"[1]", status=400), 400, "invalid_request", "rejected this request", None),
        (told(401, "the engine's key is wrong"), 503, "endpoint_unavailable", "not responding", 5),
        (told(404, "no secret-deployment-name"), 503, "endpoint_unavailable", "not responding", 5),
        (told(429, "Slow down.", **{"retry-after": "9"}), 429, "engine_code", "Slow down.", 9),
        (told(503, "Full."), 503, "engine_code", "Full.", 5),
        (told(500, "stack trace of secret-deployment-name"), 502, "endpoint_error", "failed on this", None),
        (unreachable(aiohttp.ClientOSError("10.1.2.3 refused")), 503, "endpoint_unavailable", "not responding", 5),
        (unreachable(aiohttp.SocketTimeoutError("slow")), 504, "endpoint_timeout", "too long", None),
    ],
)
def test_an_engines_error_is_told_as_what_it_means(
    response: Engine, status: int, code: str, text: str, retry_after: int | None
) -> None:
    with pytest.raises(GatewayError) as refused:
        ask(response)
    error = refused.value
    assert (error.status, error.code, error.retry_after) == (status, code, retry_after)
    assert text in error.text
    assert "secret" not in error.text


HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
CHUNK = b"%x\r\n%b\r\n" % (len(piece("a")), piece("a"))


@pytest.mark.parametrize(
    ("said", "stays", "status"),
    [
        (b"", False, 503),
        (b"HTTP/1.1 200", False, 503),
        (b"no HTTP at all\r\n\r\n", False, 503),
        (HEAD + CHUNK, False, 503),
        (b"", True, 504),
        (HEAD + CHUNK, True, 504),
        (HEAD + CHUNK + b"0\r\n\r\n", True, 502),
    ],
)
def test_a_real_connection_that_breaks_or_hangs(
    said: bytes, stays: bool, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forward, "TIMEOUT", aiohttp.ClientTimeout(total=None, sock_read=0.5))

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b'{"model":"x"}')
        writer.write(said)
        await writer.drain()
        if stays:
            await reader.read()
        writer.close()

    async def run() -> None:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        target = OpenAITarget(url=f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1", model="x")
        asked = Ask(model="legal", document={}, streamed=True, wants_usage=False, wants_usage_always=False)
        tally = Tally(caller=Caller(tenant_id=uuid4(), key_id=uuid4()))
        async with (
            server,
            new_client() as client,
            forwarded(client, WaitingRoom(), target, "/chat/completions", {}, alias="legal", tally=tally) as opened,
        ):
            async for _ in relay(opened, tally, asked, alias="legal", decode=bytes):
                pass

    with pytest.raises(GatewayError) as broken:
        asyncio.run(run())
    assert broken.value.status == status
