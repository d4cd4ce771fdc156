"""REST: freeze windows of the tenant and of the site."""

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_view
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from adapters.models import Adapter
from rest.errors import NotFound
from rest.views import INVALID, MISSING, ReadOnly
from serving.freezes.queries import freezes
from serving.freezes.serializers import FreezeSerializer, NewFreezeSerializer, SiteFreezeSerializer
from serving.freezes.services import add_freeze, end_freeze
from serving.models import Freeze, SiteFreeze
from tenants.permissions import Action
from tenants.requests import person_of, tenant_of

NEW = OpenApiExample(
    "Freeze all adapters over the holidays",
    request_only=True,
    value={"starts_at": "2026-12-24T12:00:00Z", "ends_at": "2027-01-04T08:00:00Z", "reason": "Holidays"},
)


@extend_schema_view(
    list=extend_schema(summary="Your freeze windows, newest first"),
    retrieve=extend_schema(summary="One freeze window", responses={200: FreezeSerializer, 404: MISSING}),
)
class FreezeViewSet(ReadOnly):
    reads = Action.ENDPOINT_VIEW
    writes = Action.VERSIONS_PROMOTE
    serializer_class = FreezeSerializer
    filterset_fields = ("adapter",)

    def get_queryset(self) -> QuerySet[Freeze]:
        return freezes()

    @extend_schema(
        summary="Freeze promotions",
        description="While the window is open, promotions are refused with `promotion:frozen`, and those that run but "
        "have not switched yet wait. Rollbacks are always possible.",
        request=NewFreezeSerializer,
        examples=[NEW],
        responses={201: FreezeSerializer, 400: INVALID, 404: MISSING},
    )
    def create(self, request: Request) -> Response:
        wanted = NewFreezeSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        values = wanted.validated_data
        adapter = Adapter.objects.filter(id=values["adapter"]).first()
        if values["adapter"] is not None and adapter is None:
            raise NotFound("Adapter not found.", field="adapter")
        freeze = add_freeze(tenant=tenant_of(request), created_by=person_of(request), **{**values, "adapter": adapter})
        return Response(FreezeSerializer(freeze).data, status=status.HTTP_201_CREATED)

    @extend_schema(
        summary="End a freeze window",
        description="Removes it, open or not. Promotions that wait for it continue.",
        responses={204: None, 404: MISSING},
    )
    def destroy(self, request: Request, pk: str) -> Response:
        end_freeze(freeze=self.get_object())
        return Response(status=status.HTTP_204_NO_CONTENT)


@extend_schema_view(
    list=extend_schema(summary="Freeze windows of the whole site, newest first"),
    retrieve=extend_schema(
        summary="One freeze window of the site", responses={200: SiteFreezeSerializer, 404: MISSING}
    ),
)
class SiteFreezeViewSet(ReadOnly):
    reads = Action.ENDPOINT_VIEW
    queryset = SiteFreeze.objects.all()
    serializer_class = SiteFreezeSerializer
