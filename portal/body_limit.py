"""Refuses a request that is too large before reading it: Django spools forms and reads other bodies into memory."""

from collections.abc import Callable
from typing import BinaryIO, cast

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import render
from django.template.defaultfilters import filesizeformat

from portal.chunked_form import ChunkedForm
from portal.web.body import STREAMED
from rest.errors import PortalError
from rest.problems import ProblemRenderer, problem


class BodyTooLarge(PortalError):
    """The request's body is larger than allowed."""

    code = "request:too_large"
    status = 413

    def __init__(self, limit: int) -> None:
        text = (
            f"A request can be at most {filesizeformat(limit)}. Upload large files in the browser, or with the "
            f"tus protocol at /api/v1/uploads/."
        )
        super().__init__(text, limit_bytes=limit)


class BodyLimitMiddleware:
    """Checks the request's headers, and counts a form in chunks while it is read. Streams have their own limits."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        limit = settings.MAX_FORM_BYTES if _is_form(request) else settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        if _is_form(request) and _is_chunked(request):
            # Django's parser of forms reads nothing where no length is said.
            boundary = (request.content_params or {}).get("boundary", "")
            request.META["CONTENT_LENGTH"] = str(limit)
            form = ChunkedForm(request.META["wsgi.input"], boundary, BodyTooLarge(limit))
            request._stream = cast(BinaryIO, form)
        if request.content_type == STREAMED or _length(request) <= limit:
            return self._answered(request)
        return _refusal(request, BodyTooLarge(limit))

    def _answered(self, request: HttpRequest) -> HttpResponseBase:
        try:
            return self.get_response(request)
        finally:
            if _is_form(request):
                _close_broken_off(request)


def _is_form(request: HttpRequest) -> bool:
    return request.content_type == "multipart/form-data"


def _is_chunked(request: HttpRequest) -> bool:
    return "chunked" in request.headers.get("Transfer-Encoding", "").lower() and not request.META.get("CONTENT_LENGTH")


def _length(request: HttpRequest) -> int:
    length = request.META.get("CONTENT_LENGTH") or "0"
    return int(length) if length.isdigit() else 0


def _close_broken_off(request: HttpRequest) -> None:
    """Remove the temporary file of a form that broke off, which Django leaves until garbage is collected."""
    for handler in request.upload_handlers:
        file = getattr(handler, "file", None)
        if file is not None:
            file.close()


def _refusal(request: HttpRequest, error: BodyTooLarge) -> HttpResponse:
    if request.path.startswith("/api/"):
        document = problem(error.status, error.code, error.text, **error.extra)
        return JsonResponse(document, status=error.status, content_type=ProblemRenderer.media_type)
    return render(request, "portal/problem.html", {"problem": error}, status=error.status)
