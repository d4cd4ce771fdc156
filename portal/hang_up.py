"""A client that hangs up while its request is read: not our error, and nobody is left to answer."""

from collections.abc import Callable

import structlog
from django.http import HttpRequest, HttpResponse
from django.http.request import UnreadablePostError

log = structlog.get_logger(__name__)

CLIENT_CLOSED = 499


class HangUpMiddleware:
    """Notes it and ends the request. What was received of a form is removed by `portal.body_limit`."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if not isinstance(error, UnreadablePostError):
            return None
        log.info("client_hung_up", path=request.path)
        response = HttpResponse(status=CLIENT_CLOSED, reason="Client Closed Request")
        # Django would log a status like this as a warning.
        response._has_been_logged = True  # type: ignore[attr-defined]
        return response
