"""Sends the e-mails of alerts: claims what is due, sends it, and writes down what came of it.

A claim is a lease: what a worker that dies has claimed is sent by another when that ends. So an e-mail is sent at least
once, always with the same Message-ID, by which mail programs know a repeated one.
"""

import datetime as dt
from smtplib import SMTPException
from urllib.parse import urlsplit
from uuid import UUID

import structlog
from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from metering.models import Alert, AlertMail, MailState
from tenants.models import Membership
from tenants.scope import system_scope, tenant_scope

log = structlog.get_logger(__name__)

LEASE = dt.timedelta(minutes=5)
DELAYS = [dt.timedelta(minutes=minutes) for minutes in (1, 5, 30, 120, 720)]
"""Before each further attempt."""
MOST_AT_A_TIME = 50


def send_due() -> int:
    """Send what is due, at most 50 e-mails. Returns how many were sent."""
    return sum(_send(mail_id, tenant_id) for mail_id, tenant_id in _claimed())


def _claimed() -> list[tuple[UUID, UUID]]:
    now = timezone.now()
    with system_scope(), transaction.atomic():
        waiting = AlertMail.objects.filter(state=MailState.WAITING, due_at__lte=now).order_by("due_at")
        found = list(waiting.select_for_update(skip_locked=True)[:MOST_AT_A_TIME])
        for mail in found:
            mail.attempts, mail.due_at = mail.attempts + 1, now + LEASE
        AlertMail.objects.bulk_update(found, ["attempts", "due_at"])
    return [(mail.id, mail.tenant_id) for mail in found]


def _send(mail_id: UUID, tenant_id: UUID) -> bool:
    with tenant_scope(tenant_id):
        mail = AlertMail.objects.select_related("alert", "person", "tenant").filter(id=mail_id).first()
        if mail is None:
            return False
        if not Membership.objects.filter(user=mail.person, user__is_active=True).exists():
            _end(mail, MailState.FAILED, "No longer a member.")
            return False
        try:
            _message(mail).send()
        except (SMTPException, OSError) as error:
            log.warning("alert_not_sent", mail=str(mail.id), error=type(error).__name__, attempts=mail.attempts)
            _fail(mail, type(error).__name__)
            return False
        _end(mail, MailState.SENT, "")
        return True


def _fail(mail: AlertMail, error: str) -> None:
    if mail.attempts > len(DELAYS):
        _end(mail, MailState.FAILED, f"The mail server did not take it: {error}.")
        return
    due_at = timezone.now() + DELAYS[mail.attempts - 1]
    AlertMail.objects.filter(id=mail.id, state=MailState.WAITING).update(due_at=due_at, reason=error)


def _end(mail: AlertMail, state: MailState, reason: str) -> None:
    waiting = AlertMail.objects.filter(id=mail.id, state=MailState.WAITING)
    waiting.update(state=state, due_at=None, reason=reason[:200])


def _message(mail: AlertMail) -> EmailMessage:
    host = urlsplit(settings.SITE_URL).hostname or "localhost"
    return EmailMessage(
        # A title holds the organisation's own names, which may hold anything but a line break.
        " ".join(mail.alert.title.split()),
        _text(mail, mail.alert),
        None,
        [mail.person.email],
        headers={"Message-ID": f"<alert-{mail.id}@{host}>"},
    )


def _text(mail: AlertMail, alert: Alert) -> str:
    return "\n".join(
        [
            f"Hello {mail.person},",
            "",
            f"{mail.tenant}: {alert.text}",
            "",
            f"Open your alerts: {settings.SITE_URL.rstrip('/')}{reverse('alerts:list')}",
            "",
            "You get this e-mail once for each alert.",
        ]
    )
