"""A tenant's storage is counted from its rows, reserved at the start of an upload, and freed afterwards."""

import gzip
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager

import pytest
from django.core.files.storage import default_storage
from django.db import connection
from rest_framework.test import APIClient

from corpora.errors import QuotaExceeded
from corpora.ingest.contracts import TRAIN
from corpora.models import DatasetVersion, Upload, VersionState
from corpora.quota import used_bytes
from corpora.uploads.services import create_upload
from corpora.versions.services import delete_version, recheck_version, reject_version, rows_key
from rest.errors import PortalError
from tenants.models import Tenant
from tenants.scope import system_scope, tenant_scope
from tests.corpora.conftest import pairs
from tests.corpora.uploads.uploading import TUS, begin, whole


def limit(tenant: Tenant, size: int) -> None:
    with system_scope():
        Tenant.objects.filter(id=tenant.id).update(max_storage_bytes=size)


@pytest.mark.django_db
def test_room_is_reserved_at_once_and_free_again_when_cancelled(api: APIClient, tenant: Tenant) -> None:
    limit(tenant, 1000)
    first = begin(api, 600)
    answer = begin(api, 401)
    assert (answer.status_code, answer.json()["code"]) == (403, "dataset:quota_exceeded")
    assert (answer.json()["used_bytes"], answer.json()["limit_bytes"]) == (600, 1000)
    assert begin(api, 400).status_code == 201
    api.delete(first["Location"], headers=TUS)
    assert begin(api, 600).status_code == 201


@pytest.mark.django_db
def test_another_organisations_files_do_not_count(api: APIClient, other_api: APIClient, tenant: Tenant) -> None:
    limit(tenant, 1000)
    begin(other_api, 5000)
    assert begin(api, 1000).status_code == 201


@pytest.mark.django_db
def test_a_confirmed_file_counts_once(api: APIClient, run_jobs: Callable[..., None], tenant: Tenant) -> None:
    content = pairs(40)
    whole(api, content, confirm="1")
    run_jobs()
    with tenant_scope(tenant.id):
        version = DatasetVersion.objects.get()
        assert used_bytes(tenant) == len(content) + version.rows_bytes
        recheck_version(version=version, changes={"seed": 1}, created_by=None)
        assert used_bytes(tenant) == len(content) + version.rows_bytes


@pytest.mark.django_db
def test_a_deleted_version_frees_its_room(upload: Callable[..., DatasetVersion], tenant: Tenant) -> None:
    version = upload(pairs(40))
    reject_version(version_id=version.id, code="dataset:broken_line", text="broken")
    version.refresh_from_db()
    assert used_bytes(tenant) == len(pairs(40))
    delete_version(version=version)
    assert used_bytes(tenant) == 0


@pytest.mark.django_db
def test_a_file_in_one_request_needs_room_too(upload: Callable[..., DatasetVersion], tenant: Tenant) -> None:
    limit(tenant, len(pairs(40)) + len(pairs(41)) - 1)
    upload(pairs(40))
    with pytest.raises(QuotaExceeded):
        upload(pairs(41))
    assert DatasetVersion.objects.count() == 1
    assert used_bytes(tenant) == len(pairs(40))


@pytest.mark.django_db(transaction=True)
def test_of_two_hundred_at_once_as_many_fit_as_there_is_room_for(tenant: Tenant) -> None:
    limit(tenant, 50 * 1000)

    def announce(_number: int) -> str:
        try:
            with tenant_scope(tenant.id):
                create_upload(tenant=tenant, file_name="rows.jsonl", size=1000, created_by=None)
            return "begun"
        except PortalError as error:
            return error.code
        finally:
            connection.close()

    with ThreadPoolExecutor(max_workers=20) as pool:
        outcomes = list(pool.map(announce, range(200)))
    assert (outcomes.count("begun"), outcomes.count("dataset:quota_exceeded")) == (50, 150)
    with tenant_scope(tenant.id):
        assert (Upload.objects.count(), used_bytes(tenant)) == (50, 50_000)


@pytest.mark.slow
@pytest.mark.django_db
def test_what_a_check_writes_counts_and_is_free_again(checked: Callable[..., DatasetVersion], tenant: Tenant) -> None:
    version = checked(pairs(40))
    keys = (version.train_key, version.test_key, version.index_key, version.findings_key)
    assert version.rows_bytes == sum(default_storage.size(key) for key in keys) > 40 * 100
    assert used_bytes(tenant) == len(pairs(40)) + version.rows_bytes
    delete_version(version=version)
    assert used_bytes(tenant) == 0


@pytest.mark.slow
@pytest.mark.django_db
def test_a_packed_file_may_unpack_to_what_room_is_left(checked: Callable[..., DatasetVersion], tenant: Tenant) -> None:
    limit(tenant, 1 << 20)
    version = checked(gzip.compress(pairs(100_000)))
    assert (version.state, version.error_code) == (VersionState.REJECTED, "dataset:quota_exceeded")
    assert used_bytes(tenant) < 1 << 20


@pytest.mark.slow
@pytest.mark.django_db
def test_rows_for_which_there_is_no_room_any_more_are_removed(
    upload: Callable[..., DatasetVersion],
    run_jobs: Callable[..., None],
    tenant: Tenant,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: Callable[..., AbstractContextManager[object]],
) -> None:
    monkeypatch.setattr("corpora.kinds.room_bytes", lambda tenant: 1 << 30)
    version = upload(pairs(40))
    limit(tenant, len(pairs(40)) + 100)
    with django_capture_on_commit_callbacks(execute=True):
        run_jobs()
    version.refresh_from_db()
    assert (version.state, version.error_code) == (VersionState.REJECTED, "dataset:quota_exceeded")
    assert used_bytes(tenant) == len(pairs(40))
    assert not default_storage.exists(rows_key(tenant.id, version.id, TRAIN))
