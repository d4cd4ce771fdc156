"""Reads of alerts."""

from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils import timezone

from metering.models import Alert
from rest.errors import NotFound


def alerts() -> QuerySet[Alert]:
    """The active tenant's, newest first."""
    return Alert.objects.select_related("acknowledged_by")


def open_alerts() -> QuerySet[Alert]:
    """Those that nobody has acknowledged, and that are not snoozed now."""
    awake = Q(snoozed_until=None) | Q(snoozed_until__lte=timezone.now())
    return alerts().filter(awake, acknowledged_at=None)


def alert_by_id(alert_id: UUID) -> Alert:
    """Raises NotFound."""
    alert = alerts().filter(id=alert_id).first()
    if alert is None:
        raise NotFound("Alert not found.")
    return alert
