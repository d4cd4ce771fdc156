"""REST: judgings of evaluations by language models."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django_filters import rest_framework as filters
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema, extend_schema_view
from rest_framework import mixins, status, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from evaluations.models import EvaluationRun, Judging, JudgingState
from evaluations.runs.judgings.estimates import estimate_judging
from evaluations.runs.judgings.forms import arguments_of
from evaluations.runs.judgings.serializers import (
    JudgingDetailSerializer,
    JudgingEstimateSerializer,
    NewJudgingSerializer,
)
from evaluations.runs.judgings.services import start_judging
from evaluations.runs.queries import runs_with_findings
from rest.errors import NotFound
from rest.views import INVALID, MISSING
from tenants.permissions import Action
from tenants.requests import person_of, tenant_of

NEW_JUDGING = OpenApiExample(
    "A jury of two, by a rubric",
    request_only=True,
    value={
        "evaluation": "0b9c7c1e-6f0e-4c39-9f5a-2f4a1d1f7c11",
        "judges": ["6f3b0a52-9d0e-4d64-a6d8-0f6f3f2b7c55", "shared:large"],
        "rubric": "3a0f6e1c-52a1-4f0e-8d25-0b1c7a4e9d33",
        "is_pairwise": True,
    },
)
NOT_NOW = OpenApiResponse(
    OpenApiTypes.OBJECT, "`judging:not_ready`, `judging:already_running`; the text says what to do (problem+json)."
)


class JudgingFilter(filters.FilterSet):
    """By evaluation or state. An id of another tenant matches nothing."""

    evaluation = filters.UUIDFilter(field_name="run_id")
    state = filters.ChoiceFilter(choices=JudgingState.choices)


@extend_schema_view(
    list=extend_schema(summary="Judgings, newest first"),
    retrieve=extend_schema(
        summary="One judging, with its figures and cost once it is over",
        responses={200: JudgingDetailSerializer, 404: MISSING},
    ),
)
class JudgingViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[Judging]):
    """Grades of an evaluation's answers by a judge or a jury. Rows of the evaluation have them one by one."""

    reads = Action.EVALUATIONS_VIEW
    writes = Action.EVALUATIONS_START
    serializer_class = JudgingDetailSerializer
    filterset_class = JudgingFilter

    def get_queryset(self) -> QuerySet[Judging]:
        return Judging.objects.select_related("job", "rubric_version__rubric")

    @extend_schema(
        summary="Have an evaluation’s answers judged",
        request=NewJudgingSerializer,
        examples=[NEW_JUDGING],
        responses={201: JudgingDetailSerializer, 400: INVALID, 404: MISSING, 409: NOT_NOW},
    )
    def create(self, request: Request) -> Response:
        judging = start_judging(tenant=tenant_of(request), created_by=person_of(request), **_wanted(request))
        return Response(self.get_serializer(judging).data, status=status.HTTP_201_CREATED)

    @extend_schema(
        summary="What a judging would take",
        request=NewJudgingSerializer,
        examples=[NEW_JUDGING],
        responses={200: JudgingEstimateSerializer, 400: INVALID, 404: MISSING},
    )
    @action(detail=False, methods=["post"])
    def estimate(self, request: Request) -> Response:
        return Response(JudgingEstimateSerializer(estimate_judging(**_wanted(request))).data)


def _wanted(request: Request) -> dict[str, Any]:
    body = NewJudgingSerializer(data=request.data)
    body.is_valid(raise_exception=True)
    values = body.validated_data
    return {
        "run": _run(values["evaluation"]),
        **arguments_of(values),
    }


def _run(run_id: UUID) -> EvaluationRun:
    found = runs_with_findings().filter(id=run_id).first()
    if found is None:
        raise NotFound("Evaluation not found.", field="evaluation")
    return found
