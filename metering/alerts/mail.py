"""E-mails about alerts, to the owners of an organisation."""

import datetime as dt
from smtplib import SMTPException
from uuid import UUID

import structlog
from django.conf import settings
from django.core.mail import send_mail
from django.urls import reverse
from django.utils import timezone

from metering.models import Alert
from tenants.models import Membership, Tenant
from tenants.permissions import Action
from tenants.scope import system_scope, tenant_scope

log = structlog.get_logger(__name__)

NEWS = dt.timedelta(days=1)
"""After which an alert is no news."""


def send_alerts() -> int:
    """E-mail the alerts of which nobody was told yet. Returns how many were sent.

    One that can't be sent is tried again at the next call. A worker that dies after sending sends it twice.
    """
    if not settings.SENDS_EMAIL:
        return 0
    with system_scope():
        due = Alert.objects.filter(mailed_at=None, created_at__gt=timezone.now() - NEWS)
        found = list(due.order_by("created_at").values_list("tenant_id", "id"))
    return sum(_send(tenant_id, alert_id) for tenant_id, alert_id in found)


def _send(tenant_id: UUID, alert_id: UUID) -> bool:
    with tenant_scope(tenant_id):
        alert = Alert.objects.filter(id=alert_id, mailed_at=None).first()
        members = Membership.objects.filter(user__is_active=True).select_related("user").order_by("user__email")
        people = [member.user.email for member in members if member.may(Action.BUDGETS_MANAGE)]
        if alert is None or not people:
            return False
        link = f"{settings.SITE_URL.rstrip('/')}{reverse('metering:alerts')}"
        text = f"{alert.text}\n\n{Tenant.objects.get(pk=tenant_id)}: {link}\n"
        try:
            send_mail(alert.title, text, None, people)
        except (SMTPException, OSError) as error:
            log.warning("alert_not_mailed", alert=str(alert_id), why=type(error).__name__)
            return False
        Alert.objects.filter(id=alert_id).update(mailed_at=timezone.now())
    return True
