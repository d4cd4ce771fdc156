"""Every write to alerts. One is opened together with its e-mails and its event, or not at all."""

import datetime as dt
from collections.abc import Collection, Mapping
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from metering.alerts.errors import WrongValue
from metering.alerts.kinds import EVENTS
from metering.models import Alert, AlertKind, AlertMail
from tenants.audit.services import record_event
from tenants.models import Membership, User
from tenants.permissions import Action
from tenants.webhooks.services import publish

MOST_NOTE = 300
LONGEST_SNOOZE = dt.timedelta(days=90)


@transaction.atomic
def open_alert(
    *,
    kind: AlertKind,
    subject: str,
    occasion: str,
    title: str,
    text: str,
    data: Mapping[str, Any],
    recipients: Collection[int] = (),
) -> Alert:
    """Open an alert of the active tenant and tell people and webhooks of it, once for each occasion.

    What is known of the occasion already is open again, and told to nobody. Another open one of that subject ends.
    `recipients` are those members; without any that still are members, the owners.
    """
    now = timezone.now()
    of_subject = Alert.objects.filter(kind=kind, subject=subject)
    of_subject.open().exclude(occasion=occasion).update(ended_at=now)
    alert, is_new = of_subject.get_or_create(
        occasion=occasion,
        defaults={
            "kind": kind, "subject": subject, "title": title[:200], "text": text[:500], "data": dict(data),
            "seen_at": now,
        },
    )  # fmt: skip
    if not is_new:
        of_subject.filter(id=alert.id).update(ended_at=None, seen_at=now)
        return alert
    if settings.SENDS_EMAIL:
        people = _people(recipients)
        AlertMail.objects.bulk_create(AlertMail(alert=alert, person=person, due_at=now) for person in people)
    publish(EVENTS[kind].name, {"alert": str(alert.id), **data})
    return alert


@transaction.atomic
def end_alerts(*, kind: AlertKind, subject: str) -> int:
    """End what is open of a subject, since it is no longer so. Returns how many."""
    return Alert.objects.filter(kind=kind, subject=subject).open().update(ended_at=timezone.now())


@transaction.atomic
def acknowledge_alert(*, alert: Alert, by: User | None, note: str = "") -> Alert:
    """Say that somebody looks after it. Raises WrongValue."""
    alert, note = _locked(alert), _note(note)
    before = _recorded(alert)
    alert.acknowledged_at, alert.acknowledged_by, alert.note = timezone.now(), by, note
    alert.save(update_fields=["acknowledged_at", "acknowledged_by", "note"])
    record_event("alert.acknowledged", alert, before=before, after=_recorded(alert))
    return alert


@transaction.atomic
def snooze_alert(*, alert: Alert, until: dt.datetime) -> Alert:
    """Do not point at it until then. Raises WrongValue for a time that is over, or more than 90 days away."""
    now = timezone.now()
    if not now < until <= now + LONGEST_SNOOZE:
        raise WrongValue("Choose a time from now to 90 days ahead.", field="until")
    alert = _locked(alert)
    before, alert.snoozed_until = _recorded(alert), until
    alert.save(update_fields=["snoozed_until"])
    record_event("alert.snoozed", alert, before=before, after=_recorded(alert))
    return alert


@transaction.atomic
def reopen_alert(*, alert: Alert) -> Alert:
    """Take back that it was acknowledged or snoozed."""
    alert = _locked(alert)
    before = _recorded(alert)
    alert.acknowledged_at, alert.acknowledged_by, alert.note, alert.snoozed_until = None, None, "", None
    alert.save(update_fields=["acknowledged_at", "acknowledged_by", "note", "snoozed_until"])
    record_event("alert.reopened", alert, before=before, after=_recorded(alert))
    return alert


def _people(recipients: Collection[int]) -> list[User]:
    members = Membership.objects.filter(user__is_active=True).select_related("user").order_by("user__email")
    chosen = members.filter(user__in=recipients)
    # Somebody who has become a reviewer may no longer see what is spent.
    found = [member.user for member in chosen if member.may(Action.USAGE_VIEW)]
    return found or [member.user for member in members if member.may(Action.BUDGETS_MANAGE)]


def _locked(alert: Alert) -> Alert:
    return Alert.objects.select_for_update().get(pk=alert.pk)


def _note(note: str) -> str:
    found = " ".join(note.replace("\0", " ").split())
    if len(found) > MOST_NOTE:
        raise WrongValue(f"Use at most {MOST_NOTE} characters.", field="note")
    return found


def _recorded(alert: Alert) -> dict[str, Any]:
    return {
        "acknowledged_at": alert.acknowledged_at,
        "acknowledged_by": str(alert.acknowledged_by_id) if alert.acknowledged_by_id else None,
        "note": alert.note,
        "snoozed_until": alert.snoozed_until,
    }
