"""Removes objects from storage reliably: each has a row that stays until storage has deleted the object."""

import datetime as dt
from collections.abc import Iterable
from functools import partial
from uuid import UUID

import structlog
from django.db import transaction
from django.db.models.functions import Now

from storage.errors import ObjectGivenUp, StorageUnavailable
from storage.models import ObjectRemoval
from storage.objects import delete_object
from tenants.scope import system_scope, tenant_scope

log = structlog.get_logger(__name__)

KEPT = dt.timedelta(hours=24)
"""How long an object may exist before a row refers to it."""

RETRY = dt.timedelta(minutes=10)
AT_ONCE = 500


def remove_objects(*, tenant_id: UUID, keys: Iterable[str]) -> None:
    """Remove objects that no row refers to, once the caller's transaction commits; later if storage is unavailable."""
    noted = _note(tenant_id, keys, due_in=dt.timedelta(0))
    # The rows remain if this attempt fails.
    transaction.on_commit(partial(_remove, noted), robust=True)


def expect_object(*, tenant_id: UUID, key: str) -> None:
    """Before an object is stored: schedule its removal in a day unless `keep_object` cancels it."""
    _note(tenant_id, [key], due_in=KEPT)


def keep_object(*, tenant_id: UUID, key: str) -> None:
    """Cancel an expected object's removal, in the caller's transaction. Raises ObjectGivenUp if it is too late."""
    kept, _ = ObjectRemoval.objects.filter(tenant=tenant_id, key=key, due_at__gt=Now()).delete()
    if not kept:
        raise ObjectGivenUp


def remove_due_objects() -> int:
    """Remove every tenant's due objects and return their number. Safe to call twice."""
    with system_scope():
        due = list(ObjectRemoval.objects.filter(due_at__lte=Now()).order_by("due_at")[:AT_ONCE])
    return _remove(due)


def _note(tenant_id: UUID, keys: Iterable[str], *, due_in: dt.timedelta) -> list[ObjectRemoval]:
    removals = [ObjectRemoval(tenant_id=tenant_id, key=key, due_at=Now() + due_in) for key in sorted(set(keys))]
    return ObjectRemoval.objects.bulk_create(
        removals, update_conflicts=True, unique_fields=["key"], update_fields=["due_at"]
    )


def _remove(removals: Iterable[ObjectRemoval]) -> int:
    removed = 0
    for removal in removals:
        with tenant_scope(removal.tenant_id):
            row = ObjectRemoval.objects.filter(key=removal.key)
            try:
                delete_object(removal.key)
            except (StorageUnavailable, OSError) as error:
                # Move it to the end of the queue.
                row.update(due_at=Now() + RETRY)
                log.warning("object_not_removed", error=type(error).__name__)
                if isinstance(error, StorageUnavailable):
                    # Storage would not respond for the others either.
                    break
            else:
                row.delete()
                removed += 1
    return removed
