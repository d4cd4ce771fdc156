"""What is to go from storage goes: now, once storage answers again, or when nothing came of it within a day."""

import datetime as dt
import io
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import FileSystemStorage, default_storage
from django.db import transaction
from django.utils import timezone
from pytest_django import Settings

from storage.errors import ObjectGivenUp, StorageUnavailable
from storage.models import ObjectRemoval
from storage.objects import object_key
from storage.removal import expect_object, keep_object, remove_due_objects, remove_objects
from tenants.models import Tenant
from tenants.scope import tenant_scope

pytestmark = pytest.mark.django_db


class Away(FileSystemStorage):
    """Removes nothing while `error` is set, and counts how often it was asked."""

    error: Exception | None = None
    asked = 0

    def delete(self, name: str) -> None:
        type(self).asked += 1
        if self.error:
            raise self.error
        super().delete(name)


@pytest.fixture(autouse=True)
def storage(tmp_path: Path, settings: Settings) -> type[Away]:
    default = {"BACKEND": f"{__name__}.Away", "OPTIONS": {"location": tmp_path / "objects"}}
    settings.STORAGES = {**settings.STORAGES, "default": default}
    Away.error, Away.asked = None, 0
    return Away


def stored(tenant: Tenant, *names: str) -> list[str]:
    keys = [object_key(tenant.id, name) for name in names]
    return [default_storage.save(key, io.BytesIO(b"rows")) for key in keys]


def left(keys: list[str]) -> list[bool]:
    return [default_storage.exists(key) for key in keys]


def a_day_later() -> None:
    for removal in ObjectRemoval.objects.all():
        ObjectRemoval.objects.filter(id=removal.id).update(due_at=removal.due_at - dt.timedelta(hours=25))


def test_objects_go_once_the_transaction_is_committed(
    in_tenant: Tenant, django_capture_on_commit_callbacks: Any
) -> None:
    keys = stored(in_tenant, "a", "b")
    with django_capture_on_commit_callbacks(execute=True):
        remove_objects(tenant_id=in_tenant.id, keys=[*keys, keys[0], object_key(in_tenant.id, "never")])
        assert left(keys) == [True, True]
    assert left(keys) == [False, False]
    assert not ObjectRemoval.objects.exists()


def test_what_is_rolled_back_stays(in_tenant: Tenant, django_capture_on_commit_callbacks: Any) -> None:
    keys = stored(in_tenant, "a")
    with django_capture_on_commit_callbacks(execute=True), transaction.atomic():
        remove_objects(tenant_id=in_tenant.id, keys=keys)
        transaction.set_rollback(True)
    assert remove_due_objects() == 0
    assert left(keys) == [True]


@pytest.mark.parametrize("error", [StorageUnavailable(), PermissionError("read-only")])
def test_while_storage_is_away_they_stay_due(
    error: Exception, storage: type[Away], in_tenant: Tenant, django_capture_on_commit_callbacks: Any
) -> None:
    keys = stored(in_tenant, "a", "b", "c")
    storage.error = error
    with django_capture_on_commit_callbacks(execute=True):
        remove_objects(tenant_id=in_tenant.id, keys=keys)
    # Nobody waits three times for a storage that does not answer; an object that cannot go keeps no other.
    assert storage.asked == (1 if isinstance(error, StorageUnavailable) else 3)
    assert left(keys) == [True, True, True]
    storage.error = None
    ObjectRemoval.objects.update(due_at=timezone.now())
    assert remove_due_objects() == 3
    assert left(keys) == [False, False, False]
    assert remove_due_objects() == 0


def test_what_failed_is_not_tried_again_at_once(storage: type[Away], in_tenant: Tenant) -> None:
    remove_objects(tenant_id=in_tenant.id, keys=stored(in_tenant, "a"))
    storage.error = StorageUnavailable()
    assert remove_due_objects() == 0
    storage.error = None
    assert remove_due_objects() == 0
    ObjectRemoval.objects.update(due_at=timezone.now())
    assert remove_due_objects() == 1


def test_an_expected_object_stays_if_it_is_kept(in_tenant: Tenant) -> None:
    kept, forgotten = stored(in_tenant, "a", "b")
    for key in (kept, forgotten):
        expect_object(tenant_id=in_tenant.id, key=key)
    keep_object(tenant_id=in_tenant.id, key=kept)
    assert remove_due_objects() == 0
    a_day_later()
    assert remove_due_objects() == 1
    assert left([kept, forgotten]) == [True, False]


def test_an_object_cannot_be_kept_once_it_is_due(in_tenant: Tenant) -> None:
    [key] = stored(in_tenant, "a")
    expect_object(tenant_id=in_tenant.id, key=key)
    a_day_later()
    with pytest.raises(ObjectGivenUp):
        keep_object(tenant_id=in_tenant.id, key=key)
    assert remove_due_objects() == 1


def test_every_tenants_objects_go(tenant: Tenant, other_tenant: Tenant) -> None:
    keys = []
    for owner in (tenant, other_tenant):
        with tenant_scope(owner.id):
            keys += stored(owner, "a")
            remove_objects(tenant_id=owner.id, keys=keys[-1:])
    assert remove_due_objects() == 2
    assert left(keys) == [False, False]
