"""REST: routes and promotions."""

from django.db.models import QuerySet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema, extend_schema_view
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from adapters.versions.queries import version_named
from rest.views import INVALID, MISSING, OutsideTransactions, ReadOnly
from serving.models import Promotion, Route
from serving.promotions.queries import promotions
from serving.promotions.serializers import NewPromotionSerializer, PromotionSerializer, RouteSerializer
from serving.promotions.services import promote_version, roll_back
from tenants.permissions import Action
from tenants.requests import person_of, tenant_of

PROMOTE = OpenApiExample(
    "Promote a version", request_only=True, value={"version": "0b9c7c1e-6f0e-4c39-9f5a-2f4a1d1f7c11"}
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
        "it in `url`. With `not_before`, nothing is done before that time, and the decision is asked for again then; "
        "stop the job to cancel.",
        request=NewPromotionSerializer,
        examples=[PROMOTE, PROMOTE_LATER],
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
            created_by=person_of(request),
            not_before=wanted.validated_data["not_before"],
        )
        return Response(
            PromotionSerializer(promotion, context=self.get_serializer_context()).data, status=status.HTTP_201_CREATED
        )
