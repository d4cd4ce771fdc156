"""Sends a request on to an endpoint and turns what goes wrong there into what the caller should know."""

import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx

from serving.backends.base import Target
from serving.gateway.errors import GatewayError

# Reading: SageMaker gives a model 60 seconds, and its answer some time to travel.
TIMEOUT = httpx.Timeout(70.0, connect=2.0, pool=5.0)
LIMITS = httpx.Limits(max_connections=512, max_keepalive_connections=64)
AWAY_SECONDS = 5

AWAY = "The endpoint is not responding right now. Try again in a few seconds."


def new_client() -> httpx.AsyncClient:
    """One for the life of the process."""
    return httpx.AsyncClient(timeout=TIMEOUT, limits=LIMITS, trust_env=False)


@contextlib.asynccontextmanager
async def forwarded(
    client: httpx.AsyncClient, target: Target, path: str, document: dict[str, Any], *, alias: str
) -> AsyncIterator[httpx.Response]:
    """The endpoint's successful answer, its body not yet read; raises GatewayError for any other."""
    request = client.build_request("POST", f"{target.url}{path}", json=document, headers=target.headers)
    with endpoint_errors():
        response = await client.send(request, stream=True)
        try:
            if not response.is_success:
                await response.aread()
                raise refusal(response, target, alias=alias)
            yield response
        finally:
            await response.aclose()


@contextlib.contextmanager
def endpoint_errors() -> Any:
    """Turn httpx's errors into the gateway's."""
    try:
        yield
    except (httpx.ReadTimeout, httpx.WriteTimeout) as error:
        raise GatewayError(504, "The endpoint took too long to respond.", "endpoint_timeout") from error
    except httpx.HTTPError as error:
        raise GatewayError(503, AWAY, "endpoint_unavailable", retry_after=AWAY_SECONDS) from error


def refusal(response: httpx.Response, target: Target, *, alias: str) -> GatewayError:
    """What an endpoint's error means to the caller. Its own name for the model is not shown."""
    status = response.status_code
    if status in (401, 403, 404):
        # The gateway has checked key and name: this is between it and the endpoint, which may just have restarted.
        return GatewayError(503, AWAY, "endpoint_unavailable", retry_after=AWAY_SECONDS)
    if status >= 500 and status != 503:
        return GatewayError(502, "The endpoint failed on this request.", "endpoint_error")
    text, code, param = _told(response)
    text = text.replace(target.model, alias)
    if status in (429, 503):
        wait = response.headers.get("retry-after", "")
        seconds = int(wait) if wait.isdecimal() else AWAY_SECONDS
        return GatewayError(status, text or AWAY, code or "endpoint_busy", retry_after=seconds)
    return GatewayError(status, text or "The endpoint rejected this request.", code or "invalid_request", param=param)


def _told(response: httpx.Response) -> tuple[str, str, str | None]:
    """The message, code and parameter of an error in OpenAI's shape, as far as they are there."""
    try:
        document = response.json()
        error = document.get("error", document)
        param = error.get("param")
        return str(error.get("message") or ""), str(error.get("code") or ""), str(param) if param else None
    except (json.JSONDecodeError, UnicodeDecodeError, AttributeError):
        return "", "", None
