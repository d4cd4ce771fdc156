"""The one function that writes to the audit trail."""

import json
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models, transaction
from django.utils import timezone

from rest.request_id import active_request_id
from tenants.audit.actor import active_actor
from tenants.audit.chain import FIRST, chained
from tenants.models import AuditEvent, AuditHead, Tenant
from tenants.scope import tenant_scope


def record_event(
    action: str,
    row: models.Model,
    *,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> AuditEvent:
    """Add an event to the trail of the row's tenant: `action` was done to `row`.

    `before` and `after` hold the values that changed: IDs, names and settings, never a customer's text or a secret.
    Call it in the transaction of the change, after the other writes: the tenant's later events wait for its commit.
    """
    tenant_id = row.pk if isinstance(row, Tenant) else row.tenant_id  # type: ignore[attr-defined]
    actor = active_actor()
    with tenant_scope(tenant_id), transaction.atomic(savepoint=False):
        head = _locked_head(tenant_id)
        event = AuditEvent(
            tenant_id=tenant_id,
            sequence=head.sequence + 1,
            at=timezone.now(),
            actor_kind=actor.kind,
            actor_id=actor.id,
            actor_name=actor.name[:320],
            action=action,
            target_type=row._meta.label_lower,
            target_id=str(row.pk),
            target_name=str(row)[:300],
            before=_plain(before),
            after=_plain(after),
            request_id=active_request_id(),
            previous_hash=head.hash,
        )
        event.hash = chained(event)
        event.save(force_insert=True)
        AuditHead.objects.filter(id=head.id).update(sequence=event.sequence, hash=event.hash)
    return event


def _locked_head(tenant_id: UUID) -> AuditHead:
    head = AuditHead.objects.select_for_update().first()
    if head is None:
        AuditHead.objects.bulk_create([AuditHead(tenant_id=tenant_id, hash=FIRST)], ignore_conflicts=True)
        head = AuditHead.objects.select_for_update().get()
    return head


def _plain(values: Mapping[str, Any] | None) -> dict[str, Any]:
    """As PostgreSQL gives JSON back: a whole number has no fraction, and dates and IDs are texts."""
    text = json.dumps(dict(values or {}), cls=DjangoJSONEncoder)
    plain: dict[str, Any] = json.loads(text, parse_float=lambda number: _whole(float(number)))
    return plain


def _whole(number: float) -> float | int:
    return int(number) if number.is_integer() else number
