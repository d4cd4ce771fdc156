"""Every write to alerts."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.utils import timezone

from metering.models import Alert
from rest.errors import Conflict, PortalError
from tenants.audit.services import record_event
from tenants.models import User
from tenants.webhooks.services import publish

LONGEST_SNOOZE = dt.timedelta(days=90)


@transaction.atomic
def raise_alert(*, kind: str, key: str, title: str, text: str, data: Mapping[str, Any]) -> Alert | None:
    """Tell the active tenant something, once for each `key`: None if it was told before.

    Call it in the transaction of what it tells of.
    """
    alert, is_new = Alert.objects.get_or_create(
        key=key, defaults={"kind": kind, "title": title[:200], "text": text, "data": dict(data)}
    )
    if not is_new:
        return None
    publish(kind, {**data, "alert": str(alert.id), "title": alert.title, "text": alert.text})
    return alert


@transaction.atomic
def acknowledge(*, alert: Alert, person: User | None, note: str = "") -> Alert:
    """Somebody knows. Raises Conflict if somebody else did before."""
    found = _locked(alert)
    if found.acknowledged_at is not None:
        raise Conflict("This alert has already been acknowledged.", code="alert:acknowledged")
    found.acknowledged_at, found.acknowledged_by, found.note = timezone.now(), person, note.strip()[:300]
    found.save(update_fields=["acknowledged_at", "acknowledged_by", "note"])
    record_event("alert.acknowledged", found, after={"key": found.key})
    return found


@transaction.atomic
def reopen(*, alert: Alert) -> Alert:
    """It is to be looked at again, whether it was acknowledged or snoozed."""
    found = _locked(alert)
    if found.acknowledged_at is not None or found.snoozed_until is not None:
        found.acknowledged_at = found.acknowledged_by = found.snoozed_until = None
        found.note = ""
        found.save(update_fields=["acknowledged_at", "acknowledged_by", "note", "snoozed_until"])
        record_event("alert.reopened", found, after={"key": found.key})
    return found


@transaction.atomic
def snooze(*, alert: Alert, until: dt.datetime) -> Alert:
    """Say nothing of it until then. Raises PortalError for a time that is over or more than 90 days ahead."""
    now = timezone.now()
    if not now < until <= now + LONGEST_SNOOZE:
        text = f"Choose a time in the next {LONGEST_SNOOZE.days} days."
        raise PortalError(text, code="alert:bad_time", field="until")
    found = _locked(alert)
    if found.acknowledged_at is not None:
        raise Conflict("This alert has already been acknowledged.", code="alert:acknowledged")
    found.snoozed_until = until
    found.save(update_fields=["snoozed_until"])
    record_event("alert.snoozed", found, after={"key": found.key, "until": until})
    return found


def _locked(alert: Alert) -> Alert:
    return Alert.objects.select_for_update().get(pk=alert.pk)
