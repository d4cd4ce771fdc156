"""REST: alerts."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.routers import SimpleRouter

from metering.alerts.queries import alerts
from metering.alerts.services import acknowledge, reopen, snooze
from metering.models import Alert
from rest.views import INVALID, MISSING, ReadOnly
from tenants.permissions import Action
from tenants.requests import person_of

DONE = OpenApiResponse(OpenApiTypes.OBJECT, "Somebody has acknowledged it already (problem+json).")


class AlertSerializer(serializers.ModelSerializer[Alert]):
    """`data` is what webhooks were sent."""

    data = serializers.JSONField()  # type: ignore[assignment]
    acknowledged_by = serializers.CharField(source="acknowledged_by.email", allow_null=True, default=None)

    class Meta:
        model = Alert
        fields = (
            "id", "kind", "title", "text", "data", "created_at", "acknowledged_at", "acknowledged_by", "note",
            "snoozed_until",
        )  # fmt: skip
        read_only_fields = fields


class AcknowledgeSerializer(serializers.Serializer[Any]):
    note = serializers.CharField(required=False, default="", allow_blank=True, max_length=300)


class SnoozeSerializer(serializers.Serializer[Any]):
    until = serializers.DateTimeField(help_text="In the next 90 days.")


@extend_schema_view(
    list=extend_schema(summary="Alerts, newest first"),
    retrieve=extend_schema(summary="One alert", responses={200: AlertSerializer, 404: MISSING}),
)
class AlertViewSet(ReadOnly):
    """What your organisation was told: thresholds of budgets and the like."""

    reads = Action.USAGE_VIEW
    writes = Action.ALERTS_HANDLE
    serializer_class = AlertSerializer
    filterset_fields = ("kind",)

    def get_queryset(self) -> QuerySet[Alert]:
        return alerts()

    @extend_schema(
        summary="Acknowledge",
        request=AcknowledgeSerializer,
        responses={200: AlertSerializer, 400: INVALID, 404: MISSING, 409: DONE},
    )
    @action(detail=True, methods=["post"])
    def acknowledge(self, request: Request, pk: str) -> Response:
        found = self.get_object()
        body = AcknowledgeSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        changed = acknowledge(alert=found, person=person_of(request), note=body.validated_data["note"])
        return Response(AlertSerializer(changed).data)

    @extend_schema(
        summary="Snooze",
        request=SnoozeSerializer,
        responses={200: AlertSerializer, 400: INVALID, 404: MISSING, 409: DONE},
    )
    @action(detail=True, methods=["post"])
    def snooze(self, request: Request, pk: str) -> Response:
        found = self.get_object()
        body = SnoozeSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        return Response(AlertSerializer(snooze(alert=found, until=body.validated_data["until"])).data)

    @extend_schema(summary="Open again", request=None, responses={200: AlertSerializer, 404: MISSING})
    @action(detail=True, methods=["post"])
    def reopen(self, request: Request, pk: str) -> Response:
        return Response(AlertSerializer(reopen(alert=self.get_object())).data)


router = SimpleRouter()
router.register("alerts", AlertViewSet, basename="alert")
