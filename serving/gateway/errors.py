"""The gateway's errors, in OpenAI's format."""

from collections.abc import Mapping

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

AWAY = "The endpoint is not responding right now. Try again in a few seconds."


class GatewayError(Exception):
    """A refusal: HTTP status, a text for the caller, a stable code, the parameter at fault, seconds to wait."""

    def __init__(
        self, status: int, text: str, code: str, *, param: str | None = None, retry_after: int | None = None
    ) -> None:
        super().__init__(text)
        self.status = status
        self.text = text
        self.code = code
        self.param = param
        self.retry_after = retry_after

    def body(self) -> dict[str, dict[str, str | None]]:
        """The error as OpenAI writes it."""
        kind = "invalid_request_error" if self.status < 500 else "server_error"
        return {"error": {"message": self.text, "type": kind, "param": self.param, "code": self.code}}

    def response(self, request_id: str = "", headers: Mapping[str, str] | None = None) -> Response:
        """The whole answer; `Retry-After` is in seconds."""
        headers = {**(headers or {}), **({"x-request-id": request_id} if request_id else {})}
        if self.retry_after is not None:
            headers["retry-after"] = str(self.retry_after)
        if self.status == 401:
            headers["www-authenticate"] = "Bearer"
        return JSONResponse(self.body(), self.status, headers)


class ClientClosed(GatewayError):
    """Nobody is there to be refused; the record says so."""

    def __init__(self) -> None:
        super().__init__(499, "The client disconnected.", "client_closed")


async def refuse(request: Request, error: Exception) -> Response:
    """Starlette's handler of every error: one that is not a GatewayError becomes one, and tells nothing of itself."""
    if isinstance(error, HTTPException):
        error = GatewayError(error.status_code, f"{error.detail}. The API is at /v1/.", "no_such_endpoint")
    if not isinstance(error, GatewayError):
        error = GatewayError(500, "Something went wrong on our side.", "internal_error")
    return error.response()
