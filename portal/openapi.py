"""The OpenAPI document, which is the same for every tenant."""

from typing import Any
from uuid import UUID

from drf_spectacular.generators import SchemaGenerator

from rest.problems import ProblemRenderer
from tenants.scope import tenant_scope

NOBODY = UUID(int=0)

_TEXT = {"type": "string"}
PROBLEM = {
    "type": "object",
    "description": "An error (RFC 9457). `code` is stable and `title` says what to do. Other members carry details.",
    "required": ["type", "title", "status", "code"],
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "title": _TEXT,
        "status": {"type": "integer"},
        "code": _TEXT,
        "field": {"type": "string", "description": "The invalid field."},
        "errors": {
            "type": "array",
            "description": "All invalid fields.",
            "items": {
                "type": "object",
                "required": ["field", "code", "detail"],
                "properties": {"field": _TEXT, "code": _TEXT, "detail": _TEXT},
            },
        },
    },
}
PAGING = {"cursor", "page_size"}
NO_FILTERS = {*PAGING, "format"}


class PublicSchemaGenerator(SchemaGenerator):
    """Generates the document for a tenant without rows: filters are described from querysets, which need a tenant."""

    def get_schema(self, *args: Any, **kwargs: Any) -> Any:
        with tenant_scope(NOBODY):
            return super().get_schema(*args, **kwargs)  # type: ignore[no-untyped-call]


def document_problems(result: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
    """A hook of drf-spectacular: adds type and schema to every error, and adds the errors common to all views."""
    result["components"]["schemas"]["ProblemDetails"] = PROBLEM
    for methods in result["paths"].values():
        for operation in methods.values():
            responses = _common(operation) | operation["responses"]
            for status, response in responses.items():
                if status >= "400":
                    schema = {"$ref": "#/components/schemas/ProblemDetails"}
                    response["content"] = {ProblemRenderer.media_type: {"schema": schema}}
            operation["responses"] = dict(sorted(responses.items()))
    return result


def _common(operation: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Errors of authentication, filters and pagination."""
    query = {parameter["name"] for parameter in operation.get("parameters", []) if parameter["in"] == "query"}
    common = {
        "401": {"description": "The API key is missing, unknown, revoked or expired."},
        "403": {"description": "Your role doesn’t allow this, or the CSRF token of a browser is missing."},
    }
    if query - NO_FILTERS:
        common["400"] = {"description": "A query parameter is invalid; see `errors`."}
    if query >= PAGING:
        common["404"] = {"description": "Invalid cursor. Omit it to start from the first page."}
    return common
