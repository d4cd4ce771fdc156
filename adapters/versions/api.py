"""REST: adapters and their versions."""

from typing import Any

from django.db.models import QuerySet
from django.http import FileResponse
from django_filters import rest_framework as filters
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework.decorators import action
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from adapters.models import Adapter, AdapterVersion
from adapters.versions.cards import as_markdown, card_of
from adapters.versions.examples import A_CARD
from adapters.versions.packages import package_response
from adapters.versions.queries import version_with_all
from adapters.versions.serializers import AdapterSerializer, AdapterVersionSerializer, CardSerializer
from rest.views import LOST, MISSING, AsItIs, OutsideTransactions, ReadOnly
from tenants.permissions import Action


class MarkdownRenderer(BaseRenderer):
    """Markdown text unchanged; a problem as JSON."""

    media_type = "text/markdown"
    format = "md"
    charset = "utf-8"

    def render(self, data: Any, accepted_media_type: str | None = None, renderer_context: Any = None) -> str | bytes:
        return data if isinstance(data, str) else JSONRenderer().render(data)


class VersionFilter(filters.FilterSet):
    """By adapter. An id of another tenant matches nothing."""

    adapter = filters.UUIDFilter(field_name="adapter_id")


@extend_schema_view(
    list=extend_schema(summary="Your adapters"),
    retrieve=extend_schema(summary="One adapter", responses={200: AdapterSerializer, 404: MISSING}),
)
class AdapterViewSet(ReadOnly):
    reads = Action.ADAPTERS_VIEW
    serializer_class = AdapterSerializer
    filterset_fields = ("name",)

    def get_queryset(self) -> QuerySet[Adapter]:
        return Adapter.objects.select_related("base_model")


@extend_schema_view(
    list=extend_schema(summary="Trained versions, newest first"),
    retrieve=extend_schema(summary="One version", responses={200: AdapterVersionSerializer, 404: MISSING}),
)
class AdapterVersionViewSet(OutsideTransactions, ReadOnly):
    reads = Action.ADAPTERS_VIEW
    serializer_class = AdapterVersionSerializer
    filterset_class = VersionFilter

    def get_queryset(self) -> QuerySet[AdapterVersion]:
        return AdapterVersion.objects.select_related("adapter", "run")

    @extend_schema(
        summary="Download a package",
        description="A tar.gz of two files that `peft` can load. `ETag` is its SHA-256.",
        responses={(200, "application/gzip"): OpenApiTypes.BINARY, 404: MISSING, 503: LOST},
    )
    @action(detail=True, url_path="package", content_negotiation_class=AsItIs)
    def package(self, request: Request, pk: str | None = None) -> FileResponse:
        return package_response(self.get_object())

    @extend_schema(
        summary="Model card of a version",
        description="Purpose, data, results and limits. `?format=md` or `Accept: text/markdown` returns Markdown "
        "with YAML front matter, as Hugging Face expects.",
        responses={(200, "application/json"): CardSerializer, (200, "text/markdown"): OpenApiTypes.STR, 404: MISSING},
        examples=[A_CARD],
    )
    @action(detail=True, url_path="card", renderer_classes=[JSONRenderer, MarkdownRenderer])
    def card(self, request: Request, pk: str | None = None) -> Response:
        found = card_of(version_with_all(self.get_object().pk))
        if isinstance(request.accepted_renderer, MarkdownRenderer):
            return Response(as_markdown(found))
        return Response(CardSerializer(found).data)
