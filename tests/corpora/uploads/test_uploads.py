"""Uploads that are refused leave nothing behind."""

import hashlib
import io
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.files.storage import default_storage
from django.db import connection
from pytest_django import Settings

from corpora.errors import EmptyUpload, NameMissing, UploadTooLarge
from corpora.models import Dataset, DatasetVersion
from corpora.versions.errors import SameFile
from corpora.versions.services import reject_version, upload_version
from jobs.models import Job
from rest.errors import PortalError
from storage.errors import StorageUnavailable
from storage.objects import open_object
from tenants.models import Tenant
from tenants.scope import system_scope, tenant_scope
from tests.corpora.conftest import pairs

Send = Callable[..., DatasetVersion]


@pytest.fixture(autouse=True)
def storage(tmp_path: Path, settings: Settings) -> Path:
    """An empty object store, to find what is left in it."""
    folder = tmp_path / "objects"
    default = {**settings.STORAGES["default"], "OPTIONS": {"location": folder}}
    settings.STORAGES = {**settings.STORAGES, "default": default}
    return folder


def objects(storage: Path) -> list[Path]:
    return [path for path in storage.rglob("*") if path.is_file()]


def nothing_is_left(storage: Path) -> bool:
    with system_scope():
        rows = Dataset.objects.count() + DatasetVersion.objects.count() + Job.objects.count()
    return rows == 0 and not objects(storage)


@pytest.mark.django_db
def test_an_upload_is_stored_counted_and_hashed(upload: Send, tenant: Tenant) -> None:
    content = pairs(30)
    version = upload(content)
    assert version.upload_bytes == len(content)
    assert version.upload_sha256 == hashlib.sha256(content).hexdigest()
    assert version.upload_key.startswith(f"tenants/{tenant.id}/datasets/")
    with open_object(version.upload_key) as file:
        assert file.read() == content
    assert version.job is not None
    assert version.job.kind == "dataset_check"


@pytest.mark.django_db
def test_versions_of_a_name_are_numbered_in_one_dataset(upload: Send) -> None:
    versions = [upload(pairs(count)) for count in (2, 3, 4)]
    assert [version.number for version in versions] == [1, 2, 3]
    assert len({version.dataset_id for version in versions}) == 1


@pytest.mark.django_db(transaction=True)
def test_an_empty_file_leaves_nothing(upload: Send, storage: Path) -> None:
    with pytest.raises(EmptyUpload):
        upload(b"")
    assert nothing_is_left(storage)


@pytest.mark.django_db(transaction=True)
def test_a_file_over_the_limit_leaves_nothing(upload: Send, storage: Path, settings: Settings) -> None:
    settings.MAX_UPLOAD_BYTES = 1000
    with pytest.raises(UploadTooLarge) as caught:
        upload(pairs(100))
    assert caught.value.status == 413
    assert nothing_is_left(storage)


@pytest.mark.django_db(transaction=True)
def test_an_upload_that_breaks_off_leaves_nothing(in_tenant: Tenant, storage: Path) -> None:
    class Broken(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            if self.tell() > 100_000:
                raise ConnectionResetError
            return super().read(50_000)

    with pytest.raises(StorageUnavailable):
        upload_version(
            tenant=in_tenant, file=Broken(pairs(9000)), file_name="x", dataset_name="Clauses", created_by=None
        )
    assert nothing_is_left(storage)


@pytest.mark.django_db(transaction=True)
def test_a_failure_after_storing_leaves_nothing(upload: Send, storage: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(**arguments: object) -> None:
        raise RuntimeError("the database went away")

    monkeypatch.setattr("corpora.versions.services.start_job", fail)
    with pytest.raises(RuntimeError):
        upload(pairs(3))
    assert nothing_is_left(storage)


@pytest.mark.django_db(transaction=True)
def test_a_new_dataset_needs_a_name(upload: Send, storage: Path) -> None:
    with pytest.raises(NameMissing):
        upload(pairs(3), name=" ")
    assert nothing_is_left(storage)


@pytest.mark.django_db(transaction=True)
def test_the_same_bytes_again_name_the_version_they_are(upload: Send, storage: Path) -> None:
    first = upload(pairs(3))
    with pytest.raises(SameFile) as caught:
        upload(pairs(3))
    assert "version 1 of “Clauses”" in caught.value.text
    assert caught.value.extra["version"] == str(first.id)
    assert DatasetVersion.objects.count() == 1
    assert len(objects(storage)) == 1


@pytest.mark.django_db
def test_the_same_bytes_may_be_in_two_datasets_and_after_a_rejection(upload: Send) -> None:
    first = upload(pairs(3))
    assert upload(pairs(3), name="Other").number == 1
    reject_version(version_id=first.id, code="dataset:broken_line", text="broken")
    assert upload(pairs(3)).number == 2


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["../../etc/passwd", "C:\\rows\\passwd", "pass\0wd", "passwd"])
def test_a_hostile_file_name_is_only_shown(in_tenant: Tenant, storage: Path, name: str) -> None:
    version = upload_version(
        tenant=in_tenant, file=io.BytesIO(pairs(2)), file_name=name, dataset_name="Clauses", created_by=None
    )
    assert version.file_name == "passwd"
    assert [path.name for path in objects(storage)] == ["upload"]
    assert default_storage.exists(version.upload_key)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("existing", [False, True])
def test_the_same_file_twice_at_once_becomes_one_version(tenant: Tenant, storage: Path, existing: bool) -> None:
    """Both threads store their bytes before either writes its rows."""
    with tenant_scope(tenant.id):
        dataset = Dataset.objects.create(tenant=tenant, name="Clauses") if existing else None
    stored = threading.Barrier(2)
    outcomes: list[str] = []

    class Waiting(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            data = super().read(size)
            if not data:
                stored.wait(timeout=30)
            return data

    def send() -> None:
        try:
            with tenant_scope(tenant.id):
                version = upload_version(
                    tenant=tenant,
                    file=Waiting(pairs(5)),
                    file_name="rows.jsonl",
                    dataset=dataset,
                    dataset_name="Clauses",
                    created_by=None,
                )
            outcomes.append(f"version {version.number}")
        except PortalError as error:
            outcomes.append(error.code)
        finally:
            connection.close()

    threads = [threading.Thread(target=send) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert sorted(outcomes) == ["dataset:same_file", "version 1"]
    with tenant_scope(tenant.id):
        assert Dataset.objects.count() == DatasetVersion.objects.count() == Job.objects.count() == 1
    assert len(objects(storage)) == 1


@pytest.mark.django_db(transaction=True)
def test_different_files_at_once_get_numbers_of_their_own(tenant: Tenant) -> None:
    errors: list[BaseException] = []

    def send(count: int) -> None:
        try:
            with tenant_scope(tenant.id):
                upload_version(
                    tenant=tenant,
                    file=io.BytesIO(pairs(count)),
                    file_name="rows.jsonl",
                    dataset_name="Clauses",
                    created_by=None,
                )
        except BaseException as error:
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=send, args=(count,)) for count in range(2, 8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert errors == []
    with tenant_scope(tenant.id):
        numbers = DatasetVersion.objects.order_by("number").values_list("number", flat=True)
        assert list(numbers) == [1, 2, 3, 4, 5, 6]
