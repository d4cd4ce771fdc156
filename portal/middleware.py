"""What every page has in common: nobody keeps a copy of it, and an error says what to do next."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.middleware.gzip import GZipMiddleware
from django.shortcuts import render

from rest.errors import PortalError
from tenants.requests import PortalRequest

COMPRESSED = {
    "text/html",
    "text/markdown",
    "application/json",
    "application/problem+json",
    "application/vnd.oai.openapi",
    "application/vnd.oai.openapi+json",
}


class CompressionMiddleware(GZipMiddleware):
    """Pages and documents, with a random length against guesses of what is in them (BREACH).

    Not downloads, which are compressed or large, and never streams of events, which would wait for a full block.
    """

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        kind = response.headers.get("Content-Type", "").partition(";")[0]
        if kind not in COMPRESSED or response.streaming:
            return response
        return super().process_response(request, response)


class NoStoreMiddleware:
    """Whatever is answered to a person or a key is kept by no browser and no proxy, unless its view says otherwise."""

    def __init__(self, get_response: Callable[[PortalRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: PortalRequest) -> HttpResponse:
        response = self.get_response(request)
        if request.api_key is not None or request.user.is_authenticated:
            response.setdefault("Cache-Control", "no-store")
        return response


class ProblemPageMiddleware:
    """Shows a PortalError that no form caught. For pages only: REST has its own handler."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if not isinstance(error, PortalError):
            return None
        return render(request, "portal/problem.html", {"problem": error}, status=error.status)
