"""Refuses a request that is too large before reading it: Django spools forms and reads other bodies into memory."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import render
from django.template.defaultfilters import filesizeformat

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
    """Checks the request's headers. Streamed bodies have their own limits."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        limit = settings.MAX_FORM_BYTES if _is_form(request) else settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        if request.content_type == STREAMED or _length(request) <= limit:
            return self.get_response(request)
        return _refusal(request, BodyTooLarge(limit))


def _is_form(request: HttpRequest) -> bool:
    return request.content_type == "multipart/form-data"


def _length(request: HttpRequest) -> int:
    length = request.META.get("CONTENT_LENGTH") or "0"
    return int(length) if length.isdigit() else 0


def _refusal(request: HttpRequest, error: BodyTooLarge) -> HttpResponse:
    if request.path.startswith("/api/"):
        document = problem(error.status, error.code, error.text, **error.extra)
        return JsonResponse(document, status=error.status, content_type=ProblemRenderer.media_type)
    return render(request, "portal/problem.html", {"problem": error}, status=error.status)
