"""REST API of statements: list, read, and read as a file."""

from typing import Any

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.routers import SimpleRouter

from metering.statements.examples import STATEMENT, STATEMENTS
from metering.statements.export import statement_csv
from metering.statements.pdf import statement_pdf
from metering.statements.queries import months_of, statement_of, statements_of
from metering.statements.serializers import StatementSerializer, StatementsSerializer
from rest.views import AsItIs
from tenants.permissions import Action
from tenants.requests import tenant_of

MOST_MONTHS = 24
MISSING = OpenApiResponse(OpenApiTypes.OBJECT, "No statement of this month (problem+json).")
LONG = OpenApiResponse(OpenApiTypes.OBJECT, "`statement:too_long`: it has too many lines for a PDF (problem+json).")
MONTH = OpenApiParameter("month", OpenApiTypes.STR, OpenApiParameter.PATH, description="Such as 2026-10 (UTC).")


class StatementViewSet(viewsets.ViewSet):
    """What was used in a calendar month and what that cost. A closed statement never changes."""

    reads = Action.USAGE_VIEW
    lookup_field = "month"
    lookup_value_regex = r"[^/]+"

    @extend_schema(
        summary="Statements of the last months, the latest first",
        description=f"At most {MOST_MONTHS}. Open ones are what is known now.",
        responses={200: StatementsSerializer},
        examples=[STATEMENTS],
    )
    def list(self, request: Request) -> Response:
        tenant = tenant_of(request)
        found = statements_of(tenant, months_of(tenant)[:MOST_MONTHS])
        return Response(StatementsSerializer({"results": found}).data)

    @extend_schema(
        summary="One month",
        parameters=[MONTH],
        responses={200: StatementSerializer, 404: MISSING},
        examples=[STATEMENT],
    )
    def retrieve(self, request: Request, month: str) -> Response:
        return Response(StatementSerializer(statement_of(tenant_of(request), month)).data)

    @extend_schema(
        summary="One month as CSV",
        parameters=[MONTH],
        responses={(200, "text/csv"): OpenApiTypes.STR, 404: MISSING},
    )
    @action(detail=True, content_negotiation_class=AsItIs)
    def csv(self, request: Request, month: str) -> HttpResponse:
        found = statement_of(tenant_of(request), month)
        return _file(statement_csv(found.document), "text/csv; charset=utf-8", f"{found.document.number}.csv")

    @extend_schema(
        summary="One month as PDF",
        parameters=[MONTH],
        responses={(200, "application/pdf"): OpenApiTypes.BINARY, 404: MISSING, 413: LONG},
    )
    @action(detail=True, content_negotiation_class=AsItIs)
    def pdf(self, request: Request, month: str) -> HttpResponse:
        found = statement_of(tenant_of(request), month)
        return _file(statement_pdf(found.document, found.sha256), "application/pdf", f"{found.document.number}.pdf")


def _file(content: Any, content_type: str, name: str) -> HttpResponse:
    return HttpResponse(
        content, content_type=content_type, headers={"Content-Disposition": f'attachment; filename="{name}"'}
    )


router = SimpleRouter()
router.register("statements", StatementViewSet, basename="statement")
