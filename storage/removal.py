"""Removes objects from storage for certain: what is to go has a row, which stays until storage has let go of it."""

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
"""How long an object may be on its way to a row that names it."""

RETRY = dt.timedelta(minutes=10)
AT_ONCE = 500


def remove_objects(*, tenant_id: UUID, keys: Iterable[str]) -> None:
    """Remove what no row names any more, once the caller's transaction is committed; later if storage is away."""
    noted = _note(tenant_id, keys, due_in=dt.timedelta(0))
    # The rows are there whatever becomes of this attempt.
    transaction.on_commit(partial(_remove, noted), robust=True)


def expect_object(*, tenant_id: UUID, key: str) -> None:
    """Say, before an object is stored, that it goes unless it is kept within a day."""
    _note(tenant_id, [key], due_in=KEPT)


def keep_object(*, tenant_id: UUID, key: str) -> None:
    """An expected object has its row now, in the caller's transaction; raises ObjectGivenUp if it came too late."""
    kept, _ = ObjectRemoval.objects.filter(tenant=tenant_id, key=key, due_at__gt=Now()).delete()
    if not kept:
        raise ObjectGivenUp


def remove_due_objects() -> int:
    """Remove what is due, of every tenant, and return how many; may run twice."""
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
                # To the end of the line.
                row.update(due_at=Now() + RETRY)
                log.warning("object_not_removed", error=type(error).__name__)
                if isinstance(error, StorageUnavailable):
                    # The others would only wait for it in vain.
                    break
            else:
                row.delete()
                removed += 1
    return removed
