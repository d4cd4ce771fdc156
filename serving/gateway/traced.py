"""Spans of the gateway, where the site is traced: the request, the choice of a model, and the endpoint's part."""

import contextlib
from collections.abc import Iterator

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rest.tracing.spans import TRACEPARENT, UNRECORDED, Attributes, Kind, Span, spans
from serving.gateway.errors import GatewayError
from serving.gateway.protocol import HEALTH
from serving.gateway.record import Tally

PROVIDER = "adapter_portal"
OPERATIONS = {"/chat/completions": "chat", "/completions": "text_completion"}
ROUTES = frozenset({"/v1/models", "/v1/chat/completions", "/v1/completions"})
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class Traced:
    """An ASGI middleware: a span for each request but health checks, until the last byte of its answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI entry."""
        if scope["type"] != "http" or scope["path"] == HEALTH:
            await self._app(scope, receive, send)
            return
        method = scope["method"] if scope["method"] in METHODS else "_OTHER"
        attributes: dict[str, str] = {"http.request.method": method, "url.scheme": scope["scheme"]}
        name = method
        if scope["path"] in ROUTES:
            attributes["http.route"] = scope["path"]
            name = f"{method} {scope['path']}"
        with spans().within(name, kind=Kind.SERVER, attributes=attributes, traceparent=_traceparent(scope)) as span:

            async def send_on(message: Message) -> None:
                if message["type"] == "http.response.start":
                    _note_status(span, message["status"])
                await send(message)

            await self._app(scope, receive, send_on)


def _traceparent(scope: Scope) -> str:
    found = [value for name, value in scope["headers"] if name == TRACEPARENT.encode()]
    return found[0].decode("latin-1") if len(found) == 1 else ""


def _note_status(span: Span, status: int) -> None:
    span.tell({"http.response.status_code": status})
    if status >= 500:
        span.fail(str(status))


def note_caller(tally: Tally) -> None:
    """Say in the request's span whose it is, and by which name its record goes."""
    if spans().are_recorded:
        spans().current.tell(_named(tally))


@contextlib.contextmanager
def choosing(tally: Tally) -> Iterator[None]:
    """The choice of a model: for a router's name, its rules and its classifier."""
    with spans().within("route") as span:
        yield
        if tally.routed is not None:
            span.tell({"adapter_portal.route.by": tally.routed.decision.by})


@contextlib.contextmanager
def asking(tally: Tally, path: str) -> Iterator[Span]:
    """The endpoint's part of a request, from the first try to the end of its answer.

    A stream ends in another task than it began in, so this span is current nowhere.
    """
    if not spans().are_recorded:
        yield UNRECORDED
        return
    operation = OPERATIONS[path]
    model = tally.model.alias if tally.model else ""
    attributes: dict[str, str | bool] = {
        "gen_ai.operation.name": operation,
        "gen_ai.provider.name": PROVIDER,
        "gen_ai.request.model": model,
        "gen_ai.request.stream": tally.streamed,
    }
    span = spans().begin(f"{operation} {model}", kind=Kind.CLIENT, attributes={**attributes, **_named(tally)})
    try:
        yield span
        if tally.streamed and tally.error_code:
            span.fail(tally.error_code)
    except GatewayError as error:
        span.fail(error.code)
        raise
    except BaseException as error:
        span.fail(type(error).__qualname__)
        raise
    finally:
        span.tell(_used(tally))
        span.end()


def _named(tally: Tally) -> dict[str, str]:
    return {"adapter_portal.tenant.id": str(tally.caller.tenant_id), "adapter_portal.request.id": tally.request_id}


def _used(tally: Tally) -> Attributes:
    used: dict[str, str | int] = {
        "gen_ai.usage.input_tokens": tally.prompt_tokens,
        "gen_ai.usage.output_tokens": tally.completion_tokens,
        "gen_ai.usage.cache_read.input_tokens": tally.cached_tokens,
    }
    if tally.model is not None:
        used["adapter_portal.endpoint"] = tally.model.endpoint
        if tally.model.version_number is not None:
            used["adapter_portal.adapter.version"] = tally.model.version_number
    return used
