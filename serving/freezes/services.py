"""Add and end freeze windows. Promotions that wait for one go on within seconds of its early end."""

import datetime as dt

import structlog
from django.db import transaction
from django.utils import timezone

from adapters.models import Adapter
from jobs.services import wake_jobs
from rest.errors import PortalError
from serving.freezes.errors import Frozen
from serving.models import PROMOTION, Freeze, SiteFreeze
from tenants.audit.services import record_event
from tenants.models import Tenant, User
from tenants.scope import system_scope

log = structlog.get_logger(__name__)


@transaction.atomic
def add_freeze(
    *,
    tenant: Tenant,
    adapter: Adapter | None,
    starts_at: dt.datetime | None,
    ends_at: dt.datetime,
    reason: str,
    created_by: User | None,
) -> Freeze:
    """Freeze promotions of an adapter, or of all, from `starts_at` (now if None) until `ends_at`.

    Raises PortalError with `field`: freeze:bad_end, freeze:no_reason.
    """
    window = _window(starts_at, ends_at, reason)
    freeze: Freeze = Freeze.objects.create(tenant=tenant, adapter=adapter, created_by=created_by, **window)
    record_event("freeze.added", freeze, after=_recorded(freeze))
    return freeze


@transaction.atomic
def end_freeze(*, freeze: Freeze) -> None:
    """Remove a window, open or not. Ending it twice has no effect."""
    if Freeze.objects.filter(id=freeze.id).delete()[0]:
        record_event("freeze.ended", freeze, before=_recorded(freeze))
        wake_jobs(kind=PROMOTION, waits_for=Frozen.code)


def add_site_freeze(*, starts_at: dt.datetime | None, ends_at: dt.datetime, reason: str) -> SiteFreeze:
    """Freeze promotions of all tenants. Raises PortalError as `add_freeze`."""
    freeze = SiteFreeze.objects.create(**_window(starts_at, ends_at, reason))
    log.info("site_freeze_added", freeze=str(freeze.id), until=freeze.ends_at.isoformat())
    return freeze


@transaction.atomic
def end_site_freeze(*, freeze: SiteFreeze) -> None:
    """Remove a window of the site, open or not."""
    SiteFreeze.objects.filter(id=freeze.id).delete()
    with system_scope():
        wake_jobs(kind=PROMOTION, waits_for=Frozen.code)
    log.info("site_freeze_ended", freeze=str(freeze.id))


def _window(starts_at: dt.datetime | None, ends_at: dt.datetime, reason: str) -> dict[str, dt.datetime | str]:
    now = timezone.now()
    if ends_at <= max(starts_at or now, now):
        raise PortalError(
            "The freeze must end in the future, and after it starts.", code="freeze:bad_end", field="ends_at"
        )
    one_line = " ".join(reason.split())
    if not one_line:
        raise PortalError("Say why promotions are frozen.", code="freeze:no_reason", field="reason")
    return {"starts_at": starts_at or now, "ends_at": ends_at, "reason": one_line}


def _recorded(freeze: Freeze) -> dict[str, object]:
    adapter = freeze.adapter.name if freeze.adapter else None
    return {"adapter": adapter, "starts_at": freeze.starts_at, "ends_at": freeze.ends_at}
