"""REST: the next answer to grade, and reviews."""

from types import MappingProxyType

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import mixins, status, viewsets
from rest_framework.decorators import action
from rest_framework.generics import get_object_or_404
from rest_framework.request import Request
from rest_framework.response import Response

from evaluations.models import EvaluationItem, Review
from evaluations.reviews.examples import NEW_REVIEW, NO_PERSON, NOT_READY
from evaluations.reviews.queries import Queue
from evaluations.reviews.serializers import NewReviewSerializer, NextReviewSerializer, ReviewSerializer
from evaluations.reviews.services import record_review
from evaluations.runs.api import EvaluationViewSet
from evaluations.runs.queries import ready_runs
from rest.errors import NotFound
from rest.views import INVALID, MISSING
from tenants.errors import PermissionMissing
from tenants.models import User
from tenants.permissions import Action
from tenants.requests import person_of, tenant_of


class ReviewedEvaluationViewSet(EvaluationViewSet):
    # No docstring of its own: the OpenAPI document says the parent's of every operation.
    needs = MappingProxyType({"next_review": Action.REVIEWS_GRADE})

    @extend_schema(
        summary="The next answer for you to grade",
        responses={200: NextReviewSerializer, 403: NO_PERSON, 404: MISSING},
        filters=False,
    )
    @action(detail=True, url_path="next-review", pagination_class=None)
    def next_review(self, request: Request, pk: str) -> Response:
        queue = Queue(get_object_or_404(ready_runs(), pk=pk), _reviewer(request))
        item_id, progress = queue.next_open(), queue.progress
        item = EvaluationItem.objects.get(pk=item_id) if item_id else None
        return Response(NextReviewSerializer({"done": progress.done, "total": progress.total, "next": item}).data)


@extend_schema_view(list=extend_schema(summary="Your own reviews, newest first"))
class ReviewViewSet(mixins.ListModelMixin, viewsets.GenericViewSet[Review]):
    """An expert's grades. Each expert sees only their own. Grades given with an API key belong to its creator."""

    reads = Action.REVIEWS_GRADE
    writes = Action.REVIEWS_GRADE
    # For the OpenAPI document, which is made without anybody signed in.
    queryset = Review._base_manager.none()
    serializer_class = ReviewSerializer

    def get_queryset(self) -> QuerySet[Review]:
        return Review.objects.filter(reviewer=person_of(self.request))

    @extend_schema(
        summary="Grade an answer",
        description="Grading the same answer again replaces your earlier grade.",
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
            raise NotFound("Answer not found.", field="item")
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
            "Reviews belong to a person, but this API key has no owner. Sign in, or use a key that you created.",
            code="review:needs_a_person",
        )
    return person
