"""REST: routes, promotions and trials."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema, extend_schema_view
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from adapters.versions.queries import version_named
from evaluations.runs.judgings.forms import jury_named, newest_version
from evaluations.runs.judgings.services import JudgingWanted
from jobs.serializers import JobSerializer
from rest.errors import PortalError
from rest.views import INVALID, MISSING, OutsideTransactions, ReadOnly
from serving.models import Promotion, Route, Trial, TrialCopy
from serving.promotions.queries import promotions
from serving.promotions.serializers import NewPromotionSerializer, PromotionSerializer, RouteSerializer
from serving.promotions.services import promote_version, roll_back, try_version
from serving.trials.queries import trials
from serving.trials.serializers import NewTrialSerializer, TrialCopySerializer, VersionTrialSerializer
from serving.trials.services import TrialPlan
from tenants.permissions import Action
from tenants.requests import person_of, tenant_of

VERSION = "0b9c7c1e-6f0e-4c39-9f5a-2f4a1d1f7c11"
PROMOTE = OpenApiExample("Promote a version", request_only=True, value={"version": VERSION})
CANARY = OpenApiExample(
    "Promote it after an hour as a canary",
    request_only=True,
    value={"version": VERSION, "canary": {"percent": 10, "minutes": 60}},
)
TRY = OpenApiExample(
    "Compare two versions for a day",
    request_only=True,
    value={"version": VERSION, "plan": {"percent": 50, "minutes": 1440}},
)
SHADOW = OpenApiExample(
    "Compare answers that nobody sees",
    request_only=True,
    value={
        "version": VERSION,
        "plan": {"percent": 0, "minutes": 1440, "copies": 200},
        "compared_by": {"judges": ["shared:default"]},
    },
)
PROMOTE_LATER = OpenApiExample(
    "Promote it on Sunday night",
    request_only=True,
    value={"version": "0b9c7c1e-6f0e-4c39-9f5a-2f4a1d1f7c11", "not_before": "2026-12-06T22:00:00Z"},
)


@extend_schema_view(
    list=extend_schema(summary="Your aliases and their live versions"),
    retrieve=extend_schema(summary="One alias", responses={200: RouteSerializer, 404: MISSING}),
)
class RouteViewSet(ReadOnly):
    reads = Action.ENDPOINT_VIEW
    writes = Action.VERSIONS_PROMOTE
    serializer_class = RouteSerializer
    filterset_fields = ("alias", "adapter")

    def get_queryset(self) -> QuerySet[Route]:
        return Route.objects.select_related("adapter", "active", "previous")

    @extend_schema(
        summary="Roll back to the previous version",
        description="Immediate while the previous version is still on the endpoint, otherwise through a job.",
        request=None,
        responses={
            201: PromotionSerializer,
            404: MISSING,
            409: OpenApiResponse(OpenApiTypes.OBJECT, "No previous version, or a promotion is running (problem+json)."),
        },
    )
    @action(detail=True, methods=["post"], url_path="roll-back")
    def roll_back(self, request: Request, pk: str | None = None) -> Response:
        promotion = roll_back(tenant=tenant_of(request), route=self.get_object(), created_by=person_of(request))
        return Response(
            PromotionSerializer(promotion, context=self.get_serializer_context()).data, status=status.HTTP_201_CREATED
        )


@extend_schema_view(
    list=extend_schema(summary="Promotions and rollbacks, newest first"),
    retrieve=extend_schema(summary="One promotion", responses={200: PromotionSerializer, 404: MISSING}),
)
class PromotionViewSet(OutsideTransactions, ReadOnly):
    reads = Action.ENDPOINT_VIEW
    writes = Action.VERSIONS_PROMOTE
    serializer_class = PromotionSerializer
    filterset_fields = ("version", "is_rollback")

    def get_queryset(self) -> QuerySet[Promotion]:
        return promotions()

    @extend_schema(
        summary="Promote a version",
        description="Once its decision passes, a job deploys the version, checks that it repeats known answers, and "
        "switches the alias. Where no policy asks for more, a decision is opened and closed by itself; a refusal names "
        "it in `url`. With a `canary` it answers a share of callers first, and the promotion fails if they fare worse. "
        "With `not_before`, nothing is done before that time, and the decision is asked for again then; stop the job "
        "to cancel.",
        request=NewPromotionSerializer,
        examples=[PROMOTE, CANARY, PROMOTE_LATER],
        responses={
            201: PromotionSerializer,
            400: INVALID,
            404: MISSING,
            409: OpenApiResponse(
                OpenApiTypes.OBJECT,
                "Not evaluated, its decision does not pass, promotions are frozen, or one is running (problem+json).",
            ),
        },
    )
    def create(self, request: Request) -> Response:
        wanted = NewPromotionSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        promotion = promote_version(
            tenant=tenant_of(request),
            version=version_named(wanted.validated_data["version"]),
            canary=wanted.validated_data["canary"],
            judging=judging_of(wanted.validated_data["compared_by"], wanted.validated_data["canary"]),
            created_by=person_of(request),
            not_before=wanted.validated_data["not_before"],
        )
        return Response(
            PromotionSerializer(promotion, context=self.get_serializer_context()).data, status=status.HTTP_201_CREATED
        )


@extend_schema_view(
    list=extend_schema(summary="Canaries and A/B tests, newest first"),
    retrieve=extend_schema(summary="A trial and what it shows", responses={200: VersionTrialSerializer, 404: MISSING}),
)
class TrialViewSet(OutsideTransactions, ReadOnly):
    reads = Action.ENDPOINT_VIEW
    writes = Action.VERSIONS_PROMOTE
    serializer_class = VersionTrialSerializer
    filterset_fields = ("adapter", "state")

    def get_queryset(self) -> QuerySet[Trial]:
        return trials()

    @extend_schema(
        summary="Start an A/B test or a shadow",
        description="A job puts the version on the endpoint, checks it, and lets it answer a share of callers beside "
        "the live version, or copies of requests unseen. The trial appears in the list then. It halts if callers fare "
        "worse, and switches nothing.",
        request=NewTrialSerializer,
        examples=[TRY, SHADOW],
        responses={
            201: JobSerializer,
            400: INVALID,
            404: MISSING,
            409: OpenApiResponse(
                OpenApiTypes.OBJECT,
                "Nothing is live to compare with, its decision does not pass, or one is running (problem+json).",
            ),
        },
    )
    def create(self, request: Request) -> Response:
        wanted = NewTrialSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        job = try_version(
            tenant=tenant_of(request),
            version=version_named(wanted.validated_data["version"]),
            plan=wanted.validated_data["plan"],
            judging=judging_of(wanted.validated_data["compared_by"], wanted.validated_data["plan"]),
            created_by=person_of(request),
        )
        return Response(JobSerializer(job, context=self.get_serializer_context()).data, status=status.HTTP_201_CREATED)


@extend_schema_view(
    list=extend_schema(summary="Requests that both versions of a trial answered, newest first"),
    retrieve=extend_schema(summary="One of them", responses={200: TrialCopySerializer, 404: MISSING}),
)
class TrialCopyViewSet(ReadOnly):
    reads = Action.ENDPOINT_VIEW
    serializer_class = TrialCopySerializer
    filterset_fields = ("trial",)

    def get_queryset(self) -> QuerySet[TrialCopy]:
        return TrialCopy.objects.all()


def judging_of(compared_by: dict[str, Any] | None, plan: TrialPlan | None) -> JudgingWanted | None:
    """The judges that a request names. Raises PortalError, also where there is nothing to compare."""
    if compared_by is None:
        return None
    if plan is None or not plan.copies:
        text = "Say how many requests both versions answer, for the judges to compare."
        raise PortalError(text, code="trial:no_copies", field="compared_by")
    rubric = compared_by["rubric"]
    return JudgingWanted(
        jury=jury_named(compared_by["judges"]), rubric_version=newest_version(str(rubric)) if rubric else None
    )
