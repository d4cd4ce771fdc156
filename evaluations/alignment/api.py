"""REST: alignments of judges with experts."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema, extend_schema_view
from rest_framework import mixins, status, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from evaluations.alignment.proposal import proposal_for
from evaluations.alignment.queries import alignments, rubric_version_named
from evaluations.alignment.serializers import (
    AlignmentEstimateSerializer,
    AlignmentSerializer,
    NewAlignmentSerializer,
)
from evaluations.alignment.services import drop_alignment, start_alignment, use_alignment
from evaluations.models import Alignment, Judge
from rest.errors import NotFound
from rest.views import INVALID, MISSING
from tenants.permissions import Action
from tenants.requests import person_of, tenant_of

NEW = OpenApiExample(
    "By a rubric",
    {"judge": "0b9c7c1e-6f0e-4c39-9f5a-2f4a1d1f7c11", "rubric_version": "3a0f6e1c-52a1-4f0e-8d25-0b1c7a4e9d33"},
    request_only=True,
)
NOT_NOW = OpenApiResponse(
    OpenApiTypes.OBJECT,
    "`alignment:too_few_labels`, `alignment:no_overrides`, `alignment:nothing_new`, `alignment:already_running`; the "
    "text says what to do (problem+json).",
)
NOT_SO = OpenApiResponse(
    OpenApiTypes.OBJECT,
    "`alignment:not_measured`, `alignment:judge_changed`, `alignment:example_deleted` (problem+json).",
)


@extend_schema_view(
    list=extend_schema(summary="Alignments of judges, newest first"),
    retrieve=extend_schema(
        summary="One alignment, with its examples and what came of it",
        responses={200: AlignmentSerializer, 404: MISSING},
    ),
)
class AlignmentViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[Alignment]):
    """Versions of judges that are shown answers which experts graded otherwise."""

    reads = Action.JUDGES_MANAGE
    writes = Action.JUDGES_MANAGE
    serializer_class = AlignmentSerializer
    filterset_fields = ("judge", "rubric_version", "state")

    def get_queryset(self) -> QuerySet[Alignment]:
        return alignments()

    @extend_schema(
        summary="Align a judge with experts",
        description="Half of the answers that experts and the judge graded may become examples; the other half "
        "measures, as a job, whether they help. Poll until `state` is no longer `running`, then use it or drop it.",
        request=NewAlignmentSerializer,
        examples=[NEW],
        responses={201: AlignmentSerializer, 400: INVALID, 404: MISSING, 409: NOT_NOW},
    )
    def create(self, request: Request) -> Response:
        made = start_alignment(tenant=tenant_of(request), created_by=person_of(request), **_wanted(request))
        return self._shown(made, status.HTTP_201_CREATED)

    @extend_schema(
        summary="What aligning a judge would take",
        request=NewAlignmentSerializer,
        examples=[NEW],
        responses={200: AlignmentEstimateSerializer, 400: INVALID, 404: MISSING, 409: NOT_NOW},
    )
    @action(detail=False, methods=["post"])
    def estimate(self, request: Request) -> Response:
        proposal = proposal_for(**_wanted(request))
        takes = proposal.estimate()
        values = {
            "labels": proposal.labels,
            "examples": len(proposal.examples),
            "measured": len(proposal.measured),
            "calls": takes.calls,
            "cached": takes.cached,
            "usd": None if takes.usd is None else {"low": float(takes.usd[0]), "high": float(takes.usd[1])},
        }
        return Response(AlignmentEstimateSerializer(values).data)

    @extend_schema(
        summary="Use an aligned judge from now on",
        description="Judgings by this rubric that start from now on are shown the examples. The licence begins anew.",
        request=None,
        responses={200: AlignmentSerializer, 404: MISSING, 409: NOT_SO},
    )
    @action(detail=True, methods=["post"])
    def use(self, request: Request, pk: str) -> Response:
        return self._shown(use_alignment(alignment=self.get_object(), by=person_of(request)))

    @extend_schema(
        summary="Drop an aligned judge",
        description="The judge grades without these examples.",
        request=None,
        responses={200: AlignmentSerializer, 404: MISSING, 409: NOT_SO},
    )
    @action(detail=True, methods=["post"])
    def drop(self, request: Request, pk: str) -> Response:
        return self._shown(drop_alignment(alignment=self.get_object(), by=person_of(request)))

    def _shown(self, alignment: Alignment, code: int = status.HTTP_200_OK) -> Response:
        return Response(self.get_serializer(self.get_queryset().get(pk=alignment.pk)).data, status=code)


def _wanted(request: Request) -> dict[str, Any]:
    body = NewAlignmentSerializer(data=request.data)
    body.is_valid(raise_exception=True)
    values = body.validated_data
    judge = Judge.objects.filter(id=values["judge"]).first()
    if judge is None:
        raise NotFound("Judge not found.", field="judge")
    return {"judge": judge, "rubric_version": rubric_version_named(str(values["rubric_version"] or ""))}
