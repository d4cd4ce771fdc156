"""Sends a request on to an endpoint and turns what goes wrong there into what the caller should know."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import aiohttp
from yarl import URL

from rest.tracing.spans import TRACEPARENT
from serving.backends.errors import EndpointError
from serving.backends.target import Call, Target
from serving.gateway.errors import AWAY, GatewayError
from serving.gateway.record import Tally
from serving.gateway.traced import asking
from serving.gateway.waiting import Visit, WaitingRoom

# Reading: SageMaker gives a model 60 seconds, and its answer some time to travel. `connect` includes waiting for one
# of the MAX_CONNECTIONS.
TIMEOUT = aiohttp.ClientTimeout(total=None, connect=5.0, sock_connect=2.0, sock_read=70.0)
# Longer than a connection may take: one that never came about has failed by then, and counts as nothing.
STOP_TIMEOUT = aiohttp.ClientTimeout(total=3.0, sock_connect=2.0)
MAX_CONNECTIONS = 512
# vLLM and our engine close idle connections after 5 seconds; one that they are just closing must not be used.
KEEP_ALIVE_SECONDS = 3.0
AWAY_SECONDS = 5

PLAIN = {"accept-encoding": "identity"}


@dataclass(frozen=True)
class Begun:
    """An answer whose first bytes are here; the rest of its body is still the response's."""

    response: aiohttp.ClientResponse
    first: bytes

    async def body(self) -> bytes:
        """All of it."""
        return self.first + await self.response.read()

    async def chunks(self) -> AsyncIterator[bytes]:
        """All of it as it comes."""
        yield self.first
        async for chunk in self.response.content.iter_any():
            yield chunk


def new_client() -> aiohttp.ClientSession:
    """One for the life of the process, made in its event loop."""
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=MAX_CONNECTIONS, keepalive_timeout=KEEP_ALIVE_SECONDS),
        timeout=TIMEOUT,
        cookie_jar=aiohttp.DummyCookieJar(),
        trust_env=False,
    )


@contextlib.asynccontextmanager
async def forwarded(
    client: aiohttp.ClientSession,
    room: WaitingRoom,
    target: Target,
    path: str,
    document: Mapping[str, Any],
    *,
    alias: str,
    tally: Tally,
    is_patient: bool = True,
) -> AsyncIterator[Begun]:
    """The endpoint's successful answer; raises GatewayError for any other.

    While the endpoint is away, or does not have the adapter yet, the request waits in the room, if its target may be
    asked again and it `is_patient`. An answer that was not read to its end takes its connection along, so that the
    endpoint stops computing.
    """

    async def make() -> Call:
        call = await made(target, path, document, tally)
        return replace(call, headers={**call.headers, TRACEPARENT: span.traceparent}) if span.traceparent else call

    with asking(tally, path) as span, endpoint_errors():
        async with contextlib.AsyncExitStack() as stack:
            with room.visit(tally.caller.tenant_id, may_repeat=is_patient and target.may_repeat) as visit:
                begun = await _first_answer(client, target, make, visit, tally, stack)
            if not 200 <= begun.response.status < 300:
                raise refusal(begun.response, await begun.body(), target, alias=alias)
            yield begun


async def _first_answer(
    client: aiohttp.ClientSession,
    target: Target,
    make: Callable[[], Awaitable[Call]],
    visit: Visit,
    tally: Tally,
    stack: contextlib.AsyncExitStack,
) -> Begun:
    """What the endpoint says once it is there, or at last; the stack closes it.

    An endpoint sends a stream's head before it computes, so an answer has only begun with the first bytes of its body.
    """
    while True:
        call = await make()
        tally.asked = time.perf_counter()
        try:
            response = await stack.enter_async_context(_posting(client, call))
            begun = Begun(response, await response.content.readany())
        except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError, aiohttp.ClientPayloadError) as error:
            tally.asked = None
            await stack.aclose()
            was_lost = not isinstance(error, aiohttp.ClientConnectorError)
            if not await visit.may_try_again(was_lost=was_lost, at_once=target.has_another(was_away=True)):
                raise
        else:
            if response.status != 404:
                return begun
            tally.asked = None
            if not await visit.may_try_again(at_once=target.has_another(was_away=False)):
                return begun
            await stack.aclose()


async def made(target: Target, path: str, document: Mapping[str, Any], tally: Tally) -> Call:
    """The target's call; one that may wait is made in a thread."""
    named = {"request_id": tally.request_id, "tenant": str(tally.caller.tenant_id)}
    try:
        if target.may_wait:
            return await asyncio.to_thread(target.call, path, document, **named)
        return target.call(path, document, **named)
    except EndpointError as error:
        raise GatewayError(503, AWAY, "endpoint_unavailable", retry_after=AWAY_SECONDS) from error


async def stop(client: aiohttp.ClientSession, target: Target, request_id: str) -> bool:
    """Ask the endpoint to send what it has of an answer in one piece. False where it can't, as vLLM."""
    call = target.cancelling(request_id)
    if call is None:
        return False
    try:
        async with _posting(client, call, timeout=STOP_TIMEOUT) as response:
            return response.status == 204
    except (aiohttp.ClientError, OSError):
        return False


def _posting(
    client: aiohttp.ClientSession, call: Call, **options: Any
) -> contextlib.AbstractAsyncContextManager[aiohttp.ClientResponse]:
    # An address that is signed must not be written in another way.
    url = URL(call.url, encoded=True)
    return client.post(url, data=call.body, headers={**call.headers, **PLAIN}, allow_redirects=False, **options)


@contextlib.contextmanager
def endpoint_errors() -> Iterator[None]:
    """Turn aiohttp's errors, and those of a stream's decoder, into the gateway's."""
    try:
        yield
    except EndpointError as error:
        if error.code == "endpoint:timeout":
            raise GatewayError(504, "The endpoint took too long to respond.", "endpoint_timeout") from error
        raise GatewayError(502, "The endpoint failed on this request.", "endpoint_error") from error
    except aiohttp.SocketTimeoutError as error:
        raise GatewayError(504, "The endpoint took too long to respond.", "endpoint_timeout") from error
    except (aiohttp.ClientError, OSError) as error:
        raise GatewayError(503, AWAY, "endpoint_unavailable", retry_after=AWAY_SECONDS) from error


def refusal(response: aiohttp.ClientResponse, body: bytes, target: Target, *, alias: str) -> GatewayError:
    """What an endpoint's error means to the caller. Its own name for the model is not shown."""
    told = target.refused(response.status, response.headers, body)
    status = told.status
    if status in (401, 403, 404):
        # The gateway has checked key and name: this is between it and the endpoint, which may just have restarted.
        return GatewayError(503, AWAY, "endpoint_unavailable", retry_after=AWAY_SECONDS)
    if status == 504:
        return GatewayError(504, "The endpoint took too long to respond.", "endpoint_timeout")
    if status >= 500 and status != 503:
        return GatewayError(502, "The endpoint failed on this request.", "endpoint_error")
    text = told.text.replace(target.model, alias)
    if status in (429, 503):
        seconds = AWAY_SECONDS if told.retry_after is None else told.retry_after
        return GatewayError(status, text or AWAY, told.code or "endpoint_busy", retry_after=seconds)
    text = text or "The endpoint rejected this request."
    return GatewayError(status, text, told.code or "invalid_request", param=told.param)
