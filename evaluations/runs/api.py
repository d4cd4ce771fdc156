"""REST: evaluations and their rows."""

from uuid import UUID

from django.db.models import QuerySet
from django.http import StreamingHttpResponse
from django_filters import rest_framework as filters
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import mixins, status, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from adapters.base_models.queries import base_model_named
from adapters.versions.queries import version_named
from corpora.versions.queries import dataset_version_named
from evaluations.models import EvaluationItem, EvaluationRun, EvaluationState, Judge
from evaluations.runs.examples import BUSY, NEW_EVALUATION, SUMMARY, WITHOUT_VERSION
from evaluations.runs.grades import grades_of
from evaluations.runs.grid.address import options_of, wanted_by
from evaluations.runs.grid.exports import FILE_TYPES, export_response
from evaluations.runs.grid.grid import Grid
from evaluations.runs.judgings.forms import arguments_of
from evaluations.runs.judgings.services import JudgingWanted
from evaluations.runs.queries import answers_of, runs_with_findings
from evaluations.runs.serializers import (
    EvaluationSerializer,
    ItemSerializer,
    NewEvaluationSerializer,
    RowsQuerySerializer,
)
from evaluations.runs.services import start_evaluation
from rest.errors import NotFound
from rest.pagination import CursorPages
from rest.views import INVALID, MISSING, AsItIs
from tenants.permissions import Action
from tenants.requests import person_of, tenant_of


class EvaluationFilter(filters.FilterSet):
    """By what an evaluation is about, or by state. An id of another tenant matches nothing."""

    version = filters.UUIDFilter(field_name="version_id")
    without_version = filters.BooleanFilter(field_name="version", lookup_expr="isnull")
    state = filters.ChoiceFilter(choices=EvaluationState.choices)


class ByPosition(CursorPages):
    """Rows in the evaluation's own order."""

    ordering = "position"


@extend_schema_view(
    list=extend_schema(summary="Evaluations, newest first"),
    retrieve=extend_schema(
        summary="One evaluation, with results once it is ready",
        responses={200: EvaluationSerializer, 404: MISSING},
        examples=[SUMMARY],
    ),
)
class EvaluationViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[EvaluationRun]):
    """Adapter versions, base models and outside models on the same held-out rows."""

    reads = Action.EVALUATIONS_VIEW
    writes = Action.EVALUATIONS_START
    serializer_class = EvaluationSerializer
    filterset_class = EvaluationFilter

    def get_queryset(self) -> QuerySet[EvaluationRun]:
        return runs_with_findings()

    @extend_schema(
        summary="Evaluate an adapter version, a base model or outside models",
        request=NewEvaluationSerializer,
        examples=[NEW_EVALUATION, WITHOUT_VERSION],
        responses={201: EvaluationSerializer, 400: INVALID, 404: MISSING, 409: BUSY},
    )
    def create(self, request: Request) -> Response:
        wanted = NewEvaluationSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        values = wanted.validated_data
        run = start_evaluation(
            tenant=tenant_of(request),
            version=version_named(values["version"]) if values["version"] else None,
            dataset_version=dataset_version_named(values["dataset_version"]) if values["dataset_version"] else None,
            base=values["base"],
            base_model=base_model_named(values["base_model"]) if values["base_model"] else None,
            versions=[version_named(version_id) for version_id in values["versions"]],
            outside=[_judge(judge_id) for judge_id in values["outside"]],
            alternatives=values["alternatives"],
            rows=values["rows"],
            judging=JudgingWanted(**arguments_of(values)) if values["judges"] else None,
            created_by=person_of(request),
        )
        created = self.get_queryset().get(id=run.id)
        return Response(self.get_serializer(created).data, status=status.HTTP_201_CREATED)

    @extend_schema(
        summary="Rows of an evaluation, with answers, scores and experts’ grades",
        responses={200: ItemSerializer(many=True), 404: MISSING},
        filters=False,
    )
    @action(detail=True, pagination_class=ByPosition)
    def items(self, request: Request, pk: str) -> Response:
        pages, run = ByPosition(), self.get_object()
        rows = pages.paginate_queryset(EvaluationItem.objects.filter(run=run), request) or []
        context = {"answers": answers_of(run, rows), "grades": grades_of(run, rows, person_of(request))}
        return pages.get_paginated_response(ItemSerializer(rows, many=True, context=context).data)

    @extend_schema(
        summary="Download the rows of an evaluation",
        description=(
            "Streams the rows that the filters leave, in the order asked for. A filter with a value that is not known "
            "leaves all rows. In CSV, an apostrophe stands before each cell that looks like a formula."
        ),
        parameters=[RowsQuerySerializer],
        responses={
            **{(200, kind.partition(";")[0]): OpenApiTypes.BINARY for kind in FILE_TYPES.values()},
            400: INVALID,
            404: MISSING,
        },
        filters=False,
    )
    @action(detail=True, pagination_class=None, content_negotiation_class=AsItIs)
    def export(self, request: Request, pk: str) -> StreamingHttpResponse:
        run = self.get_object()
        query = RowsQuerySerializer(data=request.query_params)
        query.is_valid(raise_exception=True)
        grid = Grid(run, wanted_by(request.query_params, options_of(run)), person_of(request))
        return export_response(grid, query.validated_data["format"])


def _judge(judge_id: UUID) -> Judge:
    found = Judge.objects.filter(id=judge_id).first()
    if found is None:
        raise NotFound("Judge not found.", field="outside")
    return found
