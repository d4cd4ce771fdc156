"""What every server here asks of a request: a key, a body that is not too large; and how it refuses."""

import hmac

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from lorakit.serve.requests.errors import ApiError

MAX_BODY_BYTES = 4 * 1024 * 1024


class RequireKey:
    """Admits only requests with the bearer key; /health needs none."""

    def __init__(self, app: ASGIApp, key: str) -> None:
        self._app = app
        self._expected = f"Bearer {key}".encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI entry point."""
        given = dict(scope.get("headers", [])).get(b"authorization", b"")
        guarded = scope["type"] == "http" and scope["path"] != "/health"
        if guarded and not hmac.compare_digest(given, self._expected):
            error = ApiError(401, "The API key is missing or invalid.", "invalid_api_key")
            await JSONResponse(error.body(), 401)(scope, receive, send)
            return
        await self._app(scope, receive, send)


async def read_body(request: Request) -> bytes:
    """The body. Raises `ApiError` above `MAX_BODY_BYTES`."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            raise ApiError(413, f"The body is larger than {MAX_BODY_BYTES} bytes.", "body_too_large")
    return bytes(body)


async def refuse(request: Request, error: Exception) -> Response:
    """The response to an `ApiError` in OpenAI's format."""
    assert isinstance(error, ApiError)  # noqa: S101 - registered for this type only
    headers = {"retry-after": "1"} if error.status == 503 else None
    return JSONResponse(error.body(), error.status, headers)
