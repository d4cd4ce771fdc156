"""REST: how an organisation's judges did on the built-in questions."""

from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from evaluations.judges.api import JudgeViewSet
from evaluations.qualification.examples import A_QUALIFICATION, RUNNING, STARTED
from evaluations.qualification.queries import qualifications
from evaluations.qualification.serializers import QualificationSerializer
from evaluations.qualification.services import start_qualification
from rest.pagination import NewestFirst
from rest.views import MISSING
from tenants.requests import person_of, tenant_of


class QualifiedJudgeViewSet(JudgeViewSet):
    # No docstring of its own: the OpenAPI document says the parent's of every operation.

    @extend_schema(
        summary="List a judge’s tests, newest first",
        responses={200: QualificationSerializer(many=True), 404: MISSING},
        examples=[A_QUALIFICATION],
        filters=False,
    )
    @action(detail=True, pagination_class=NewestFirst)
    def qualifications(self, request: Request, pk: str) -> Response:
        pages = NewestFirst()
        found = qualifications(self.get_object()).select_related("job")
        rows = pages.paginate_queryset(found, request) or []
        return pages.get_paginated_response(QualificationSerializer(rows, many=True).data)

    @extend_schema(
        summary="Test a judge on the built-in questions",
        description="Asks the model several hundred times, which its provider may charge. The test runs as a job; poll "
        "the list until its `state` is no longer `running`.",
        request=None,
        responses={201: QualificationSerializer, 404: MISSING, 409: RUNNING},
        examples=[STARTED],
    )
    @qualifications.mapping.post
    def start(self, request: Request, pk: str) -> Response:
        judge = self.get_object()
        found = start_qualification(tenant=tenant_of(request), judge=judge, created_by=person_of(request))
        return Response(QualificationSerializer(found).data, status=status.HTTP_201_CREATED)
