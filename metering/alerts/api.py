"""REST: alerts."""

from django.db.models import QuerySet
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from metering.alerts.examples import AN_ALERT, NOTE, UNTIL
from metering.alerts.queries import alerts
from metering.alerts.serializers import AcknowledgeSerializer, AlertSerializer, SnoozeSerializer
from metering.alerts.services import acknowledge_alert, reopen_alert, snooze_alert
from metering.models import Alert, AlertKind
from rest.views import INVALID, MISSING, ReadOnly
from tenants.permissions import Action
from tenants.requests import person_of


class AlertFilter(filters.FilterSet):
    """By kind, and by whether it has ended."""

    kind = filters.ChoiceFilter(choices=AlertKind.choices)
    is_open = filters.BooleanFilter(field_name="ended_at", lookup_expr="isnull")


@extend_schema_view(
    list=extend_schema(
        summary="List alerts, newest first", responses={200: AlertSerializer(many=True)}, examples=[AN_ALERT]
    ),
    retrieve=extend_schema(summary="Get an alert", responses={200: AlertSerializer, 404: MISSING}, examples=[AN_ALERT]),
)
class AlertViewSet(ReadOnly):
    """Budgets that are nearly used up, and hours that were unusual."""

    reads = Action.USAGE_VIEW
    writes = Action.USAGE_VIEW
    serializer_class = AlertSerializer
    filterset_class = AlertFilter

    def get_queryset(self) -> QuerySet[Alert]:
        return alerts()

    @extend_schema(
        summary="Acknowledge an alert",
        request=AcknowledgeSerializer,
        responses={200: AlertSerializer, 400: INVALID, 404: MISSING},
        examples=[NOTE, AN_ALERT],
    )
    @action(detail=True, methods=["post"])
    def acknowledge(self, request: Request, pk: str) -> Response:
        alert = self.get_object()
        body = AcknowledgeSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        return Response(
            AlertSerializer(acknowledge_alert(alert=alert, by=person_of(request), **body.validated_data)).data
        )

    @extend_schema(
        summary="Snooze an alert",
        request=SnoozeSerializer,
        responses={200: AlertSerializer, 400: INVALID, 404: MISSING},
        examples=[UNTIL, AN_ALERT],
    )
    @action(detail=True, methods=["post"])
    def snooze(self, request: Request, pk: str) -> Response:
        alert = self.get_object()
        body = SnoozeSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        return Response(AlertSerializer(snooze_alert(alert=alert, **body.validated_data)).data)

    @extend_schema(
        summary="Take back that an alert was acknowledged or snoozed",
        request=None,
        responses={200: AlertSerializer, 404: MISSING},
        examples=[AN_ALERT],
    )
    @action(detail=True, methods=["post"])
    def reopen(self, request: Request, pk: str) -> Response:
        return Response(AlertSerializer(reopen_alert(alert=self.get_object())).data)
