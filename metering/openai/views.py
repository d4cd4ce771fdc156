"""`/v1/organization/…`: OpenAI's addresses, queries, responses and errors."""

from collections.abc import Callable
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from metering.openai.completions import completions
from metering.openai.costs import costs
from metering.openai.serializers import CompletionsQuerySerializer, CostsQuerySerializer
from rest.problems import exception_handler
from tenants.permissions import Action
from tenants.requests import tenant_of


class OrganizationView(APIView):
    """Reads of the organisation that an API key belongs to."""

    reads = Action.USAGE_VIEW

    def get_exception_handler(self) -> Callable[[Exception, dict[str, Any]], Response | None]:
        return _error


class CompletionsView(OrganizationView):
    """`GET /v1/organization/usage/completions`."""

    @extend_schema(exclude=True)
    def get(self, request: Request) -> Response:
        """Requests and tokens in buckets of an hour or a day."""
        query = CompletionsQuerySerializer(data=request.query_params)
        query.is_valid(raise_exception=True)
        asked, project = query.validated_data, str(tenant_of(request).id)
        # Nothing is a batch, and no user of yours is known here.
        is_none = asked["batch"] is True or asked["user_ids"] or _is_foreign(asked, project)
        results = {} if is_none else completions(
            asked["buckets"], project=project, group_by=asked["group_by"], models=asked["models"],
            keys=asked["api_key_ids"],
        )  # fmt: skip
        return Response(asked["buckets"].document(results))


class CostsView(OrganizationView):
    """`GET /v1/organization/costs`."""

    @extend_schema(exclude=True)
    def get(self, request: Request) -> Response:
        """Costs by day."""
        query = CostsQuerySerializer(data=request.query_params)
        query.is_valid(raise_exception=True)
        asked, project = query.validated_data, str(tenant_of(request).id)
        results = {} if asked["user_ids"] or _is_foreign(asked, project) else costs(
            asked["buckets"], project=project, group_by=asked["group_by"], items=asked["line_items"],
            keys=asked["api_key_ids"],
        )  # fmt: skip
        return Response(asked["buckets"].document(results))


def _is_foreign(asked: dict[str, Any], project: str) -> bool:
    """Whether only other projects are asked for."""
    return bool(asked["project_ids"]) and project not in asked["project_ids"]


def _error(error: Exception, context: dict[str, Any]) -> Response | None:
    response = exception_handler(error, context)
    if response is None:
        return None
    problem = response.data
    first = (problem.get("errors") or [{}])[0]
    response.data = {
        "error": {
            "message": problem["title"],
            "type": "invalid_request_error",
            "param": problem.get("field") or first.get("field"),
            "code": problem["code"],
        }
    }
    response.content_type = "application/json"
    return response
