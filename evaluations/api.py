"""REST: evaluations, their rows, and reviews."""

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema, extend_schema_view
from rest_framework import mixins, status, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.routers import SimpleRouter

from evaluations.models import EvaluationItem, EvaluationRun, EvaluationState, Review
from evaluations.queries import Queue, runs, version_named
from evaluations.serializers import (
    EvaluationSerializer,
    ItemSerializer,
    NewEvaluationSerializer,
    NewReviewSerializer,
    NextReviewSerializer,
    ReviewSerializer,
)
from evaluations.services import record_review, start_evaluation
from rest.errors import NotFound
from rest.pagination import CursorPages
from rest.views import INVALID, MISSING
from tenants.errors import PermissionMissing
from tenants.models import User
from tenants.requests import person_of, tenant_of

BUSY = OpenApiResponse(
    OpenApiTypes.OBJECT, "It is being evaluated already, or has no held-out rows; with the next step (problem+json)."
)
NOT_READY = OpenApiResponse(OpenApiTypes.OBJECT, "The evaluation is not ready for review (problem+json).")
NO_PERSON = OpenApiResponse(OpenApiTypes.OBJECT, "Nobody stands behind this key (problem+json).")

SOME_ID = "0b9c7c1e-6f0e-4c39-9f5a-2f4a1d1f7c11"
NEW_EVALUATION = OpenApiExample("Evaluate a version", request_only=True, value={"version": SOME_ID})
NEW_REVIEW = OpenApiExample(
    "Grade an answer", request_only=True, value={"item": SOME_ID, "grade": 4, "comment": "The notice period is right."}
)
SUMMARY = OpenApiExample(
    "A ready evaluation (only `summary` shown)",
    response_only=True,
    value={
        "summary": {
            "all": {
                "rows": 210,
                "base": {"exact_match": 0.01, "rouge_l": 0.22, "meteor": 0.25, "judge": 1.4},
                "adapter": {"exact_match": 0.93, "rouge_l": 0.98, "meteor": 0.97, "judge": 4.8},
                "difference": {"exact_match": {"mean": 0.92, "low": 0.87, "high": 0.95, "p_value": 1e-50}},
            }
        }
    },
)


class ByPosition(CursorPages):
    """Rows in the evaluation's own order."""

    ordering = "position"


@extend_schema_view(
    list=extend_schema(summary="Evaluations, newest first"),
    retrieve=extend_schema(
        summary="One evaluation, with its figures once it is ready",
        responses={200: EvaluationSerializer, 404: MISSING},
        examples=[SUMMARY],
    ),
)
class EvaluationViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[EvaluationRun]):
    """A version against its base on held-out rows."""

    serializer_class = EvaluationSerializer
    filterset_fields = ("version", "state")
    reviewer_actions = ("next_review",)

    def get_queryset(self) -> QuerySet[EvaluationRun]:
        return runs()

    @extend_schema(
        summary="Evaluate an adapter version",
        request=NewEvaluationSerializer,
        examples=[NEW_EVALUATION],
        responses={201: EvaluationSerializer, 400: INVALID, 404: MISSING, 409: BUSY},
    )
    def create(self, request: Request) -> Response:
        wanted = NewEvaluationSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        version = version_named(wanted.validated_data["version"])
        run = start_evaluation(tenant=tenant_of(request), version=version, created_by=person_of(request))
        return Response(self.get_serializer(run).data, status=status.HTTP_201_CREATED)

    @extend_schema(
        summary="The rows of an evaluation, with answers and scores",
        responses={200: ItemSerializer(many=True), 404: MISSING},
        filters=False,
    )
    @action(detail=True, pagination_class=ByPosition)
    def items(self, request: Request, pk: str) -> Response:
        pages = ByPosition()
        rows = pages.paginate_queryset(EvaluationItem.objects.filter(run=self.get_object()), request) or []
        return pages.get_paginated_response(ItemSerializer(rows, many=True).data)

    @extend_schema(
        summary="The next answer for you to grade",
        responses={200: NextReviewSerializer, 403: NO_PERSON, 404: MISSING},
        filters=False,
    )
    @action(detail=True, url_path="next-review", pagination_class=None)
    def next_review(self, request: Request, pk: str) -> Response:
        queue = Queue(get_object_or_404(runs().filter(state=EvaluationState.READY), pk=pk), _reviewer(request))
        item_id, progress = queue.next_open(), queue.progress
        item = EvaluationItem.objects.get(pk=item_id) if item_id else None
        return Response(NextReviewSerializer({"done": progress.done, "total": progress.total, "next": item}).data)


@extend_schema_view(list=extend_schema(summary="Your own reviews, newest first"))
class ReviewViewSet(mixins.ListModelMixin, viewsets.GenericViewSet[Review]):
    """An expert's grades. Each expert sees only their own; a key's grades are those of the person who made it."""

    # For the OpenAPI document, which is made without anybody signed in.
    queryset = Review._base_manager.none()
    serializer_class = ReviewSerializer
    reviewer_actions = ("list", "create")

    def get_queryset(self) -> QuerySet[Review]:
        return Review.objects.filter(reviewer=person_of(self.request))

    @extend_schema(
        summary="Grade an answer",
        description="A second grade of the same answer replaces your first.",
        request=NewReviewSerializer,
        examples=[NEW_REVIEW],
        responses={201: ReviewSerializer, 400: INVALID, 403: NO_PERSON, 404: MISSING, 409: NOT_READY},
    )
    def create(self, request: Request) -> Response:
        given = NewReviewSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        values = given.validated_data
        item = EvaluationItem.objects.select_related("run").filter(id=values["item"]).first()
        if item is None:
            raise NotFound("There is no such answer.", field="item")
        review = record_review(
            tenant=tenant_of(request),
            item=item,
            reviewer=_reviewer(request),
            grade=values["grade"],
            comment=values["comment"],
        )
        return Response(self.get_serializer(review).data, status=status.HTTP_201_CREATED)


def _reviewer(request: Request) -> User:
    person = person_of(request)
    if person is None:
        raise PermissionMissing(
            "A review belongs to a person, and nobody stands behind this key. Sign in, or use a key you made.",
            code="review:needs_a_person",
        )
    return person


router = SimpleRouter()
router.register("evaluations", EvaluationViewSet, basename="evaluation")
router.register("reviews", ReviewViewSet, basename="review")
