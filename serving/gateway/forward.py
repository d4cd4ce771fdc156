"""Sends a request on to an endpoint and turns what goes wrong there into what the caller should know."""

import contextlib
from collections.abc import AsyncIterator, Iterator
from typing import Any

import aiohttp
import msgspec

from serving.backends.base import Target
from serving.gateway.errors import GatewayError

# Reading: SageMaker gives a model 60 seconds, and its answer some time to travel. `connect` includes waiting for one
# of the MAX_CONNECTIONS.
TIMEOUT = aiohttp.ClientTimeout(total=None, connect=5.0, sock_connect=2.0, sock_read=70.0)
# Longer than a connection may take: one that never came about has failed by then, and counts as nothing.
STOP_TIMEOUT = aiohttp.ClientTimeout(total=3.0, sock_connect=2.0)
MAX_CONNECTIONS = 512
# vLLM and our engine close idle connections after 5 seconds; one that they are just closing must not be used.
KEEP_ALIVE_SECONDS = 3.0
AWAY_SECONDS = 5

AWAY = "The endpoint is not responding right now. Try again in a few seconds."
HEADERS = {"content-type": "application/json", "accept-encoding": "identity"}


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
    client: aiohttp.ClientSession, target: Target, path: str, document: dict[str, Any], *, alias: str, request_id: str
) -> AsyncIterator[aiohttp.ClientResponse]:
    """The endpoint's successful answer, its body not yet read; raises GatewayError for any other.

    An answer that was not read to its end takes its connection along, so that the endpoint stops computing.
    """
    sending = client.post(
        f"{target.url}{path}",
        data=msgspec.json.encode(document),
        headers={**target.headers, **HEADERS, "x-request-id": request_id},
        allow_redirects=False,
    )
    with endpoint_errors():
        async with sending as response:
            if not 200 <= response.status < 300:
                raise refusal(response, await response.read(), target, alias=alias)
            yield response


async def stop(client: aiohttp.ClientSession, target: Target, request_id: str) -> bool:
    """Ask the endpoint to send what it has of an answer in one piece. False where it can't, as vLLM."""
    url = f"{target.url}/requests/{request_id}/cancel"
    try:
        async with client.post(url, headers=target.headers, timeout=STOP_TIMEOUT, allow_redirects=False) as response:
            return response.status == 204
    except (aiohttp.ClientError, OSError):
        return False


@contextlib.contextmanager
def endpoint_errors() -> Iterator[None]:
    """Turn aiohttp's errors into the gateway's."""
    try:
        yield
    except aiohttp.SocketTimeoutError as error:
        raise GatewayError(504, "The endpoint took too long to respond.", "endpoint_timeout") from error
    except (aiohttp.ClientError, OSError) as error:
        raise GatewayError(503, AWAY, "endpoint_unavailable", retry_after=AWAY_SECONDS) from error


def refusal(response: aiohttp.ClientResponse, body: bytes, target: Target, *, alias: str) -> GatewayError:
    """What an endpoint's error means to the caller. Its own name for the model is not shown."""
    status = response.status
    if status in (401, 403, 404):
        # The gateway has checked key and name: this is between it and the endpoint, which may just have restarted.
        return GatewayError(503, AWAY, "endpoint_unavailable", retry_after=AWAY_SECONDS)
    if status >= 500 and status != 503:
        return GatewayError(502, "The endpoint failed on this request.", "endpoint_error")
    text, code, param = _told(body)
    text = text.replace(target.model, alias)
    if status in (429, 503):
        wait = response.headers.get("retry-after", "")
        seconds = int(wait) if wait.isdecimal() else AWAY_SECONDS
        return GatewayError(status, text or AWAY, code or "endpoint_busy", retry_after=seconds)
    return GatewayError(status, text or "The endpoint rejected this request.", code or "invalid_request", param=param)


def _told(body: bytes) -> tuple[str, str, str | None]:
    """The message, code and parameter of an error in OpenAI's shape, as far as they are there."""
    try:
        document = msgspec.json.decode(body)
        error = document.get("error", document)
        param = error.get("param")
        return str(error.get("message") or ""), str(error.get("code") or ""), str(param) if param else None
    except (ValueError, RecursionError, AttributeError):
        return "", "", None
