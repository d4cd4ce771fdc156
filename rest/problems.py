"""Errors of the REST API: problem+json (RFC 9457) with a stable `code`."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404
from rest_framework import exceptions
from rest_framework.renderers import JSONRenderer
from rest_framework.response import Response
from rest_framework.views import exception_handler as drf_exception_handler

from rest.errors import PortalError


class ProblemRenderer(JSONRenderer):
    """Renders every error response, with its own content type."""

    media_type = "application/problem+json"


def exception_handler(error: Exception, context: dict[str, Any]) -> Response | None:
    """The EXCEPTION_HANDLER of Django REST framework. Returns None to let Django respond with 500."""
    api_error = _as_api_exception(error)
    response = drf_exception_handler(api_error, context)
    if response is None:
        return None
    response.data = _problem(error, api_error, response)
    response.content_type = ProblemRenderer.media_type
    request = context.get("request")
    if request is not None and getattr(request, "accepted_renderer", None) is not None:
        request.accepted_renderer, request.accepted_media_type = ProblemRenderer(), ProblemRenderer.media_type
    return response


def _as_api_exception(error: Exception) -> Exception:
    if isinstance(error, PortalError):
        api_error = exceptions.APIException(error.text, code=error.code)
        api_error.status_code = error.status
        return api_error
    if isinstance(error, Http404):
        return exceptions.NotFound("Not found, or it belongs to another organisation.")
    if isinstance(error, PermissionDenied):
        return exceptions.PermissionDenied()
    return error


def _problem(error: Exception, api_error: Exception, response: Response) -> dict[str, Any]:
    if isinstance(error, PortalError):
        return problem(response.status_code, error.code, error.text, field=error.field, **error.extra)
    if isinstance(api_error, exceptions.ValidationError):
        problems = list(_field_problems(api_error.get_full_details()))
        first = problems[0] if problems else {"detail": "The request is invalid."}
        return problem(response.status_code, "request:invalid", first["detail"], errors=problems)
    detail = getattr(api_error, "detail", "The request failed.")
    code = getattr(detail, "code", None) or "error"
    return problem(response.status_code, code if ":" in code else f"request:{code}", str(detail))


def problem(status: int, code: str, detail: str, **extra: Any) -> dict[str, Any]:
    """The document of a problem, without those of `extra` that are None."""
    known = {key: value for key, value in extra.items() if value is not None}
    return {"type": f"urn:adapter-portal:{code}", "title": detail, "status": status, "code": code, **known}


def _field_problems(details: Any, path: str = "") -> Any:
    """Yield {field, code, detail} for each message of a nested validation error."""
    if isinstance(details, dict) and set(details) == {"message", "code"}:
        yield {"field": path, "code": f"request:{details['code']}", "detail": str(details["message"])}
    elif isinstance(details, dict):
        for key, value in details.items():
            yield from _field_problems(value, f"{path}.{key}" if path else str(key))
    elif isinstance(details, list):
        for value in details:
            yield from _field_problems(value, path)
