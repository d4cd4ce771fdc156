"""REST: agreement of experts and judges on an evaluation."""

from dataclasses import asdict
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import viewsets
from rest_framework.request import Request
from rest_framework.response import Response

from evaluations.agreement.report import reports_of
from evaluations.agreement.serializers import RoundAgreementSerializer
from evaluations.runs.queries import runs
from rest.views import MISSING
from tenants.permissions import Action


class AgreementViewSet(viewsets.GenericViewSet[Any]):
    """How far experts agree with each other, and judges with them."""

    reads = Action.EVALUATIONS_VIEW
    serializer_class = RoundAgreementSerializer
    pagination_class = None

    def get_queryset(self) -> Any:
        return runs()

    @extend_schema(
        summary="Agreement on an evaluation, by round, newest first",
        responses={200: RoundAgreementSerializer(many=True), 404: MISSING},
    )
    def retrieve(self, request: Request, pk: str) -> Response:
        return Response([asdict(report) for report in reports_of(self.get_object())])
