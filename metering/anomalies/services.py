"""Finds unusual hours, opens an alert for each, and ends it when an hour is as usual again."""

import datetime as dt
from collections.abc import Callable, Sequence
from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from metering.alerts.services import end_alerts, open_alert
from metering.anomalies import detecting
from metering.anomalies.detecting import Hour, Judged
from metering.anomalies.hours import KINDS, Beside, beside_past_weeks
from metering.anomalies.texts import data_of, text_of, title_of
from metering.models import Alert, AlertKind, Grain
from metering.usage.ranges import HOUR, begin_of
from tenants.models import Tenant
from tenants.scope import tenant_scope

JUDGES: dict[AlertKind, Callable[[Hour, Sequence[Hour]], Judged | None]] = {
    AlertKind.LATENCY: detecting.latency,
    AlertKind.ERRORS: detecting.errors,
    AlertKind.COST: detecting.cost,
}
CONTINUES = dt.timedelta(hours=6)
"""What ended less than this ago is the same when it comes back: nobody is told again."""
SILENT = dt.timedelta(hours=24)
"""After so long without enough requests to tell, an alert ends."""


def last_full_hour() -> dt.datetime:
    """The beginning of the last hour (UTC) that is over."""
    return begin_of(Grain.HOUR, timezone.now()) - HOUR


def check_hour(*, tenant_id: UUID, start: dt.datetime) -> None:
    """Look at an hour of an organisation. Twice is the same as once.

    Where a model is unusual, all models together are not told of beside it.
    """
    with tenant_scope(tenant_id), transaction.atomic():
        Tenant.objects.select_for_update(no_key=True).get(pk=tenant_id)
        # Those that have ended but may continue, too.
        recent = Q(ended_at=None) | Q(ended_at__gte=timezone.now() - CONTINUES)
        alerts = Alert.objects.filter(recent, kind__in=KINDS).order_by("created_at")
        known = {(alert.kind, alert.subject): alert for alert in alerts}
        found = beside_past_weeks(start, [subject for _, subject in known])
        for kind, judge in JUDGES.items():
            is_told = False
            for beside in found:
                judged = judge(beside.hour, beside.past)
                alert = known.get((kind.value, beside.model))
                if judged is not None and judged.is_high and not (is_told and not beside.model):
                    _open(kind, beside, judged, alert, start)
                    is_told = True
                elif alert is not None and alert.ended_at is None and (judged is not None or _is_silent(alert)):
                    end_alerts(kind=kind, subject=beside.model)


def _open(kind: AlertKind, beside: Beside, judged: Judged, alert: Alert | None, start: dt.datetime) -> None:
    open_alert(
        kind=kind,
        subject=beside.model,
        occasion=alert.occasion if alert else f"{start:%Y-%m-%dT%HZ}",
        title=title_of(kind, beside.model),
        text=text_of(kind, beside, judged, start),
        data=data_of(kind, beside, judged, start),
    )


def _is_silent(alert: Alert) -> bool:
    return timezone.now() - alert.seen_at >= SILENT
