"""Responses to errors outside any view: pages for people, problem+json for programs."""

import sys
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.views import defaults

from portal.outages import outage_behind
from rest.errors import PortalError
from rest.problems import ProblemRenderer, problem

RETRY_SECONDS = "30"


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """400 for a request that Django itself refuses.

    A session that could not be written is one to Django, whatever the reason was.
    """
    outage = outage_behind(exception)
    if outage is not None:
        return _outage(request, outage)
    if not request.path.startswith("/api/"):
        return defaults.bad_request(request, exception)
    return _problem(400, "request:invalid", "The request is invalid.")


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """404 for an unknown URL."""
    if not request.path.startswith("/api/"):
        return defaults.page_not_found(request, exception)
    return _problem(404, "request:not_found", "Address not found. See /api/v1/docs/ for all addresses.")


def server_error(request: HttpRequest) -> HttpResponse:
    """500: ours to mend; it is in the log. 503 or 507 with the reason where the machine is at fault.

    Errors of views and of middleware come here, while they are being handled.
    """
    outage = outage_behind(sys.exc_info()[1])
    if outage is not None:
        return _outage(request, outage)
    if not request.path.startswith("/api/"):
        return defaults.server_error(request)
    return _problem(500, "platform:unexpected", "Something went wrong on our side. Try again in a moment.")


def _outage(request: HttpRequest, outage: PortalError) -> HttpResponse:
    if request.path.startswith("/api/"):
        response: HttpResponse = _problem(outage.status, outage.code, outage.text)
    else:
        # Without the request: who is signed in is in the database.
        response = HttpResponse(render_to_string("portal/outage.html", {"outage": outage}), status=outage.status)
    response["Retry-After"] = RETRY_SECONDS
    return response


def _problem(status: int, code: str, text: str) -> JsonResponse:
    document: dict[str, Any] = problem(status, code, text)
    return JsonResponse(document, status=status, content_type=ProblemRenderer.media_type)
