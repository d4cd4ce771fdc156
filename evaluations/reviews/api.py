"""REST: review rounds, the queue of a reviewer, and reviews."""

from types import MappingProxyType
from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import mixins, status, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from evaluations.models import (
    EvaluatedModel,
    EvaluationRun,
    Review,
    ReviewRound,
    RoundItem,
    RoundShape,
    RubricVersion,
)
from evaluations.reviews.examples import (
    BY_CRITERIA,
    CLOSED,
    NEW_ROUND,
    NO_PERSON,
    NOT_READY,
    OF_A_PAIR,
    WITHOUT_RUBRIC,
)
from evaluations.reviews.people import members_named, usual_reviewers
from evaluations.reviews.queries import progress_of, rounds, rounds_for
from evaluations.reviews.queue.given import Given
from evaluations.reviews.queue.services import (
    adjudicate,
    next_items,
    record_review,
    reveal_judge,
    skip_item,
    take_back_review,
)
from evaluations.reviews.queue.shown import own_item, shown_items
from evaluations.reviews.rounds.draw import Shares
from evaluations.reviews.rounds.services import Design, change_round, close_round, start_round
from evaluations.reviews.serializers import (
    AheadSerializer,
    GivenSerializer,
    ManagedRoundSerializer,
    NewRoundSerializer,
    NextItemsSerializer,
    ReviewedSerializer,
    ReviewItemSerializer,
    ReviewRoundSerializer,
    ReviewSerializer,
    RoundChangeSerializer,
    SkipSerializer,
)
from rest.errors import NotFound, PortalError
from rest.views import INVALID, MISSING
from tenants.errors import PermissionMissing
from tenants.models import User
from tenants.permissions import Action, may
from tenants.requests import holder_of, person_of, tenant_of


@extend_schema_view(
    list=extend_schema(
        summary="Review rounds, newest first: those in which you grade, or all if you manage reviews",
        responses={200: ReviewRoundSerializer(many=True)},
    ),
)
class ReviewRoundViewSet(mixins.ListModelMixin, viewsets.GenericViewSet[ReviewRound]):
    """Answers of an evaluation for experts to grade, drawn and put in order before the first grade."""

    reads = Action.REVIEWS_GRADE
    writes = Action.REVIEWS_MANAGE
    queryset = ReviewRound._base_manager.none()
    serializer_class = ReviewRoundSerializer
    filterset_fields = ("run", "state")

    def get_queryset(self) -> QuerySet[ReviewRound]:
        person, manages = person_of(self.request), _manages(self.request)
        if person is None:
            return rounds() if manages else rounds().none()
        return rounds_for(person, manages=manages)

    @extend_schema(
        summary="One review round",
        description="With its progress, disagreements and skipped answers for those who manage reviews.",
        responses={200: ManagedRoundSerializer, 404: MISSING},
    )
    def retrieve(self, request: Request, pk: str) -> Response:
        return Response(self._shown(self.get_object()))

    @extend_schema(
        summary="Start a review round",
        description=(
            "Draws rows: `uniform_share` of them at random, `adversarial_share` where a judge is easily fooled, the "
            "rest where the judge errs most."
        ),
        request=NewRoundSerializer,
        examples=[NEW_ROUND],
        responses={201: ManagedRoundSerializer, 400: INVALID, 404: MISSING, 409: NOT_READY},
    )
    def create(self, request: Request) -> Response:
        given = NewRoundSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        values = given.validated_data
        run = EvaluationRun.objects.filter(id=values["evaluation"]).first()
        if run is None:
            raise NotFound("Evaluation not found.", field="evaluation")
        reviewers = members_named(values["reviewers"]) if values["reviewers"] else usual_reviewers()
        started = start_round(
            tenant=tenant_of(request),
            run=run,
            design=Design(
                labels=values["answers"],
                shares=Shares(uniform=values["uniform_share"], adversarial=values["adversarial_share"]),
                candidate=_model(run, values["candidate"], "candidate"),
                against=_model(run, values["against"], "against"),
                shape=RoundShape(values["shape"]),
                reviewers_per_item=values["reviewers_per_item"],
                rubric_version=_rubric_version(values["rubric_version"]),
                shows_judge=values["shows_judge"],
            ),
            reviewers=reviewers,
            due_on=values["due_on"],
            created_by=person_of(request),
        )
        return Response(self._shown(rounds().get(pk=started.pk)), status=status.HTTP_201_CREATED)

    @extend_schema(
        summary="Change or close a review round",
        request=RoundChangeSerializer,
        responses={200: ManagedRoundSerializer, 400: INVALID, 404: MISSING, 409: CLOSED},
    )
    def partial_update(self, request: Request, pk: str) -> Response:
        found = self.get_object()
        given = RoundChangeSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        values = given.validated_data
        if values.keys() - {"state"}:
            change_round(
                review_round=found,
                reviewers=members_named(values["reviewers"]) if "reviewers" in values else None,
                due_on=values.get("due_on"),
                keeps_due_date="due_on" not in values,
                rubric_version=_rubric_version(values.get("rubric_version")),
            )
        if "state" in values:
            close_round(review_round=found)
        return Response(self._shown(rounds().get(pk=found.pk)))

    @extend_schema(
        summary="The next answers for you to grade",
        description=(
            "Reserves them for you for 15 minutes, and longer each time you ask: always the same ones until they are "
            "graded or skipped. Empty once nothing is left for you."
        ),
        parameters=[AheadSerializer],
        responses={200: NextItemsSerializer, 403: NO_PERSON, 404: MISSING},
        filters=False,
    )
    @action(detail=True, url_path="next", pagination_class=None)
    def next(self, request: Request, pk: str) -> Response:
        query = AheadSerializer(data=request.query_params)
        query.is_valid(raise_exception=True)
        found, reviewer = self.get_object(), _reviewer(request)
        ids = next_items(review_round=found, reviewer=reviewer, ahead=query.validated_data["ahead"])
        items, own = shown_items(ids, reviewer)
        shown = {"progress": progress_of(found, reviewer), "items": items}
        return Response(NextItemsSerializer(shown, context={"own": own}).data)

    def _shown(self, found: ReviewRound) -> object:
        kind = ManagedRoundSerializer if _manages(self.request) else ReviewRoundSerializer
        return kind(found, context=self.get_serializer_context()).data


class ReviewItemViewSet(viewsets.GenericViewSet[RoundItem]):
    """An answer, or a pair, that was handed to you."""

    reads = Action.REVIEWS_GRADE
    writes = Action.REVIEWS_GRADE
    needs = MappingProxyType({"adjudication": Action.REVIEWS_MANAGE})
    queryset = RoundItem._base_manager.none()
    serializer_class = ReviewItemSerializer

    @extend_schema(
        summary="One of your items", responses={200: ReviewItemSerializer, 403: NO_PERSON, 404: MISSING}, filters=False
    )
    def retrieve(self, request: Request, pk: str) -> Response:
        item, reviewer = _own(request, pk)
        (item,), own = shown_items([item.id], reviewer)
        return Response(ReviewItemSerializer(item, context={"own": own}).data)

    @extend_schema(
        methods=["PUT"],
        summary="Grade an answer",
        description="Replaces what you said of it before. Sent twice, it counts once.",
        request=GivenSerializer,
        examples=[BY_CRITERIA, WITHOUT_RUBRIC, OF_A_PAIR],
        responses={200: ReviewedSerializer, 400: INVALID, 403: NO_PERSON, 404: MISSING, 409: CLOSED},
    )
    @extend_schema(
        methods=["DELETE"],
        summary="Take back a grade or a skip",
        responses={204: None, 403: NO_PERSON, 404: MISSING, 409: CLOSED},
    )
    @action(detail=True, methods=["put", "delete"])
    def review(self, request: Request, pk: str) -> Response:
        item, reviewer = _own(request, pk)
        if request.method == "DELETE":
            take_back_review(item=item, reviewer=reviewer)
            return Response(status=status.HTTP_204_NO_CONTENT)
        review = record_review(item=item, reviewer=reviewer, given=_given(request))
        shown = {
            "review": review,
            "progress": progress_of(item.round, reviewer),
            "judge": reveal_judge(item=item, reviewer=reviewer),
        }
        return Response(ReviewedSerializer(shown).data)

    @extend_schema(
        summary="Skip an answer",
        request=SkipSerializer,
        responses={204: None, 400: INVALID, 403: NO_PERSON, 404: MISSING, 409: CLOSED},
    )
    @action(detail=True, methods=["post"])
    def skip(self, request: Request, pk: str) -> Response:
        given = SkipSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        item, reviewer = _own(request, pk)
        skip_item(item=item, reviewer=reviewer, reason=given.validated_data["reason"])
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(
        summary="Settle an answer on which experts disagree",
        description="The last word on it. Of a pair, `first` and `second` are as the experts saw them.",
        request=GivenSerializer,
        responses={200: ReviewSerializer, 400: INVALID, 403: NO_PERSON, 404: MISSING, 409: CLOSED},
    )
    @action(detail=True, methods=["put"])
    def adjudication(self, request: Request, pk: str) -> Response:
        review = adjudicate(item=_item(pk), adjudicator=_reviewer(request), given=_given(request))
        return Response(ReviewSerializer(review).data)


@extend_schema_view(list=extend_schema(summary="Your own reviews, newest first"))
class ReviewViewSet(mixins.ListModelMixin, viewsets.GenericViewSet[Review]):
    """An expert's grades. Each expert sees only their own. Grades given with an API key belong to its creator."""

    reads = Action.REVIEWS_GRADE
    # For the OpenAPI document, which is made without anybody signed in.
    queryset = Review._base_manager.none()
    serializer_class = ReviewSerializer

    def get_queryset(self) -> QuerySet[Review]:
        return Review.objects.filter(reviewer=person_of(self.request)).select_related("round_item")


def _given(request: Request) -> Given:
    given = GivenSerializer(data=request.data)
    given.is_valid(raise_exception=True)
    return Given(**given.validated_data)


def _item(pk: str) -> RoundItem:
    try:
        found = RoundItem.objects.filter(pk=UUID(pk)).first()
    except ValueError:
        found = None
    if found is None:
        raise NotFound("Answer not found.")
    return found


def _own(request: Request, pk: str) -> tuple[RoundItem, User]:
    """An item that was handed to the caller."""
    found, reviewer = _item(pk), _reviewer(request)
    return own_item(found.id, reviewer), reviewer


def _model(run: EvaluationRun, key: str, field: str) -> EvaluatedModel | None:
    if not key:
        return None
    found: EvaluatedModel | None = run.models.filter(key=key).first()
    if found is None:
        raise PortalError("Choose a model of this evaluation.", code="review:model", field=field)
    return found


def _rubric_version(version_id: UUID | None) -> RubricVersion | None:
    if version_id is None:
        return None
    found = RubricVersion.objects.filter(id=version_id).first()
    if found is None:
        raise NotFound("Rubric version not found.", field="rubric_version")
    return found


def _manages(request: Request) -> bool:
    return may(holder_of(request), Action.REVIEWS_MANAGE)


def _reviewer(request: Request) -> User:
    person = person_of(request)
    if person is None:
        raise PermissionMissing(
            "Reviews belong to a person, but this API key has no owner. Sign in, or use a key that you created.",
            code="review:needs_a_person",
        )
    return person
