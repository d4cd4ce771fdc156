"""Passes a streamed answer through, event by event, under the caller's name for the model."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from typing import Any

import aiohttp
import msgspec
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from serving.backends.target import Decoder
from serving.gateway.body import Ask
from serving.gateway.errors import ClientClosed, GatewayError
from serving.gateway.forward import Begun, endpoint_errors
from serving.gateway.hang_up import unless_gone
from serving.gateway.receipts import ReceiptWriter
from serving.gateway.record import Tally

DONE = b"[DONE]"
LAST_SECONDS = 1.0
TOLD = ("busy_ms", "queue_ms", "cold_start")
"""What our engine says of its own times in an event with usage; the caller does not get it."""


class RelayedStream(Response):
    """Streams `events` to the caller, settles, and only then sends the last event or says that the answer broke off.

    `settle` writes the record and is awaited exactly once, also when the caller went away or the server is stopped.
    A `receipt` is written after it, for a whole answer only.
    """

    media_type = "text/event-stream"

    def __init__(
        self,
        events: AsyncGenerator[bytes],
        *,
        tally: Tally,
        settle: Callable[[], Awaitable[None]],
        resources: contextlib.AsyncExitStack,
        headers: dict[str, str],
        receipt: ReceiptWriter | None = None,
    ) -> None:
        super().__init__(headers={**headers, "cache-control": "no-store"}, media_type=self.media_type)
        del self.headers["content-length"]
        self._events = events
        self._tally = tally
        self._settle = settle
        self._resources = resources
        self._receipt = receipt
        self._failed = b""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI entry."""
        try:
            await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            with contextlib.suppress(ClientClosed):
                await unless_gone(self._pass_on(send), receive)
        finally:
            last = await self._end()
        await _send(send, last, more=False)

    async def _end(self) -> bytes:
        """Settle; what is sent last, which says what failed, be it the answer or this."""
        async with self._resources:
            try:
                await self._settle()
            except GatewayError as error:
                return sse(error.body())
        if self._receipt is not None and self._tally.status == 200:
            return sse(await self._receipt.event()) + sse(DONE)
        return self._failed + sse(DONE)

    async def _pass_on(self, send: Send) -> None:
        try:
            async with contextlib.aclosing(self._events) as events:
                async for event in events:
                    await _send(send, event)
            self._tally.end(200)
        except GatewayError as error:
            self._tally.end(error.status, error.code)
            self._failed = sse(error.body())


async def relay(
    begun: Begun,
    tally: Tally,
    ask: Ask,
    *,
    alias: str,
    decode: Decoder,
    receipt: ReceiptWriter | None = None,
) -> AsyncGenerator[bytes]:
    """Events for the caller, without the last one, [DONE]; raises GatewayError when the stream breaks off.

    Counts tokens on the way: the pieces seen, until the endpoint's own count comes.
    """
    with endpoint_errors():
        async for data in _data_lines(begun, decode):
            if data == DONE:
                await _read_on(begun.response)
                return
            event = _parse(data)
            if "error" in event:
                raise GatewayError(502, "The endpoint failed on this request.", "endpoint_error")
            if receipt is not None:
                receipt.add(event)
            if _has_text(event):
                if tally.first_token_ms is None:
                    tally.first_token_ms = tally.elapsed_ms()
                tally.completion_tokens += 1
                if tally.said is not None:
                    tally.said.append(_text(event))
            usage = event.get("usage")
            if usage:
                tally.count(usage)
                tally.take_times({name: event.pop(name) for name in TOLD if name in event})
            # Usage is told because the gateway asked for it: in every event, and in one of its own at the end.
            if event.get("choices"):
                if usage and not ask.wants_usage_always:
                    del event["usage"]
            elif not ask.wants_usage:
                continue
            yield sse({**event, "model": alias})
    raise GatewayError(502, "The endpoint ended its response early.", "stream_broken")


def sse(event: dict[str, Any] | bytes) -> bytes:
    """One server-sent event."""
    return b"data: %b\n\n" % (event if isinstance(event, bytes) else msgspec.json.encode(event))


async def _send(send: Send, event: bytes, *, more: bool = True) -> None:
    await send({"type": "http.response.body", "body": event, "more_body": more})


async def _data_lines(begun: Begun, decode: Decoder) -> AsyncIterator[bytes]:
    """The data of each event. Split at line feeds only: JSON may hold U+2028."""
    rest = b""
    async for chunk in begun.chunks():
        *lines, rest = (rest + decode(chunk)).split(b"\n")
        for line in lines:
            if line.startswith(b"data:"):
                yield line[5:].strip()


async def _read_on(response: aiohttp.ClientResponse) -> None:
    """Read what follows the last event, as a rule nothing: only then is the connection used again."""
    with contextlib.suppress(aiohttp.ClientError, TimeoutError):
        async with asyncio.timeout(LAST_SECONDS):
            await response.content.read()


def _parse(data: bytes) -> dict[str, Any]:
    try:
        event = msgspec.json.decode(data)
    except (ValueError, RecursionError):
        event = None
    if not isinstance(event, dict):
        raise GatewayError(502, "The endpoint’s response is not an event stream.", "endpoint_error")
    return event


def _text(event: dict[str, Any]) -> str:
    return "".join((choice.get("delta") or {}).get("content") or "" for choice in event.get("choices") or ())


def _has_text(event: dict[str, Any]) -> bool:
    for choice in event.get("choices") or ():
        if choice.get("text") or (choice.get("delta") or {}).get("content"):
            return True
    return False
