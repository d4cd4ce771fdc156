"""Responses to errors outside any view: pages for people, problem+json for programs."""

from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views import defaults

from rest.problems import ProblemRenderer, problem


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """404 for an unknown URL."""
    if not request.path.startswith("/api/"):
        return defaults.page_not_found(request, exception)
    return _problem(404, "request:not_found", "Address not found. See /api/v1/docs/ for all addresses.")


def server_error(request: HttpRequest) -> HttpResponse:
    """500: an error in the site, recorded in its log."""
    if not request.path.startswith("/api/"):
        return defaults.server_error(request)
    return _problem(500, "platform:unexpected", "Something went wrong on our side. Try again in a moment.")


def _problem(status: int, code: str, text: str) -> JsonResponse:
    document: dict[str, Any] = problem(status, code, text)
    return JsonResponse(document, status=status, content_type=ProblemRenderer.media_type)
