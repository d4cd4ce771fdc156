"""Reads of alerts."""

from uuid import UUID

from django.db.models import QuerySet

from metering.models import Alert
from rest.errors import NotFound


def alerts() -> QuerySet[Alert]:
    """The active tenant's, newest first."""
    return Alert.objects.select_related("acknowledged_by")


def alert_named(alert_id: UUID) -> Alert:
    """Raises NotFound."""
    found = alerts().filter(id=alert_id).first()
    if found is None:
        raise NotFound("Alert not found.")
    return found


def unhandled_alerts() -> int:
    """How many are open, not acknowledged and not snoozed."""
    return Alert.objects.unhandled().count()
