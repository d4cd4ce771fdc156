"""Shows a PortalError that no form handled as a page that says what to do next."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from rest.errors import PortalError


class ProblemPageMiddleware:
    """For pages only; the REST API has its own exception handler."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if not isinstance(error, PortalError):
            return None
        return render(request, "portal/problem.html", {"problem": error}, status=error.status)
