"""REST: routers."""

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from rest.views import INVALID, MISSING, OutsideTransactions, ReadOnly
from serving.models import Router
from serving.routing.examples import CHANGED, CHANGED_MEANWHILE, NEW, PROMPTS, TAKEN, WRONG
from serving.routing.live import live_router
from serving.routing.queries import routers
from serving.routing.serializers import (
    ChangedRouterSerializer,
    NewRouterSerializer,
    PromptsSerializer,
    RouterSerializer,
    TriedSerializer,
)
from serving.routing.services import create_router, delete_router, replace_router
from serving.routing.trying import try_prompts
from tenants.permissions import Action
from tenants.requests import person_of, tenant_of


@extend_schema_view(
    list=extend_schema(summary="Your routers by name"),
    retrieve=extend_schema(summary="One router with its rules", responses={200: RouterSerializer, 404: MISSING}),
)
class RouterViewSet(OutsideTransactions, ReadOnly):
    """Models that choose another model for each request."""

    reads = Action.ENDPOINT_VIEW
    writes = Action.ROUTERS_EDIT
    serializer_class = RouterSerializer
    filterset_fields = ("name",)

    def get_queryset(self) -> QuerySet[Router]:
        return routers()

    @extend_schema(
        summary="Add a router",
        description="Programs ask it by its name. It answers within a second.",
        request=NewRouterSerializer,
        examples=[NEW],
        responses={201: RouterSerializer, 400: WRONG, 409: TAKEN},
    )
    def create(self, request: Request) -> Response:
        body = NewRouterSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        router = create_router(
            tenant=tenant_of(request),
            name=body.validated_data["name"],
            document=body.document(),
            created_by=person_of(request),
        )
        return Response(RouterSerializer(router).data, status=status.HTTP_201_CREATED)

    @extend_schema(
        summary="Replace a router",
        description="The whole router is sent, but for its name. The change is live in every gateway within a second.",
        request=ChangedRouterSerializer,
        examples=[CHANGED],
        responses={200: RouterSerializer, 400: WRONG, 404: MISSING, 409: CHANGED_MEANWHILE},
    )
    def update(self, request: Request, pk: str) -> Response:
        router = self.get_object()
        body = ChangedRouterSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        changed = replace_router(router=router, document=body.document(), seen_revision=body.validated_data["revision"])
        return Response(RouterSerializer(changed).data)

    @extend_schema(summary="Delete a router", responses={204: None, 404: MISSING})
    def destroy(self, request: Request, pk: str) -> Response:
        delete_router(router=self.get_object())
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(
        summary="Try prompts",
        description="Says where each prompt would go and why. No model answers it, and nothing is stored; a judge is "
        "asked where the router has one.",
        request=PromptsSerializer,
        examples=[PROMPTS],
        responses={200: TriedSerializer(many=True), 400: INVALID, 404: MISSING},
        filters=False,
    )
    @action(detail=True, methods=["post"], url_path="try", url_name="try", pagination_class=None)
    def try_(self, request: Request, pk: str) -> Response:
        router = self.get_object()
        body = PromptsSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        found = try_prompts(live_router(router), body.validated_data["prompts"])
        return Response(TriedSerializer(found, many=True).data)
