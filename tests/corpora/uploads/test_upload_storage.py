"""Uploads with unreliable storage, and the removal of abandoned uploads."""

import datetime as dt
import errno
import os
import random
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from botocore.exceptions import EndpointConnectionError
from django.core.files.storage import FileSystemStorage, default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone
from pytest_django import Settings
from rest_framework.test import APIClient

from corpora.models import Dataset, DatasetVersion, Upload, UploadState
from corpora.quota import used_bytes
from corpora.uploads import staging
from corpora.uploads.left_behind import clear_abandoned_uploads, go_on_with_whole_uploads
from corpora.uploads.services import abort_upload
from storage.models import ObjectRemoval
from storage.removal import remove_due_objects
from tenants.models import Tenant
from tests.corpora.conftest import pairs
from tests.corpora.uploads.uploading import TUS, begin, send, staged_bytes, stored, whole

pytestmark = pytest.mark.django_db

DAY_AND_MORE = dt.timedelta(hours=25)


class FailingStorage(FileSystemStorage):
    """Every fifth call raises an error. Half of the failing writes have already taken effect."""

    chance = random.Random(5)

    def _fail(self, share: float = 0.2) -> None:
        if self.chance.random() < share:
            raise ConnectionError("503 Slow Down")

    def exists(self, name: str) -> bool:
        self._fail()
        return super().exists(name)

    def size(self, name: str) -> int:
        self._fail()
        return super().size(name)

    def delete(self, name: str) -> None:
        self._fail()
        super().delete(name)

    def _save(self, name: str, content: Any) -> str:
        self._fail(0.1)
        saved: str = super()._save(name, content)  # type: ignore[misc]
        self._fail(0.1)
        return saved


@pytest.fixture
def store(tmp_path: Path, settings: Settings) -> Callable[[type[FileSystemStorage]], Path]:
    """Use a storage of this class with an empty folder."""

    def use(kind: type[FileSystemStorage]) -> Path:
        default = {"BACKEND": f"{kind.__module__}.{kind.__qualname__}", "OPTIONS": {"location": tmp_path / "objects"}}
        settings.STORAGES = {**settings.STORAGES, "default": default}
        return tmp_path / "objects"

    return use


def untouched(*uploads: Upload, since: dt.timedelta = DAY_AND_MORE) -> None:
    Upload.objects.filter(id__in=[upload.id for upload in uploads]).update(touched_at=timezone.now() - since)


def later() -> None:
    """Make all pending removals due now."""
    ObjectRemoval.objects.update(due_at=timezone.now())


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_any_storage_takes_the_file(
    api: APIClient, in_tenant: Tenant, store: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    store(FileSystemStorage)
    monkeypatch.delattr(staging.MovableFile, "temporary_file_path")
    content = pairs(2000)
    whole(api, content)
    assert stored(Upload.objects.get()) == content
    assert staged_bytes() == {}


@pytest.mark.slow
def test_a_storage_that_fails_often_ends_in_whole_files_or_none(
    api: APIClient, in_tenant: Tenant, store: Callable[..., Path]
) -> None:
    folder = store(FailingStorage)
    content = pairs(50)
    refused = 0
    for _ in range(100):
        url = begin(api, len(content))["Location"]
        answer = send(api, url, content, offset=0)
        assert answer.status_code in {204, 503}, answer.content
        if answer.status_code == 503:
            refused += 1
            assert answer.json()["code"] == "platform:storage_unavailable"
            assert api.head(url, headers=TUS)["Upload-Offset"] == str(len(content))
    assert 20 < refused < 80
    assert used_bytes(in_tenant) == 100 * len(content)
    untouched(*Upload.objects.all(), since=dt.timedelta(seconds=20))
    for _ in range(40):
        go_on_with_whole_uploads()
    assert set(Upload.objects.values_list("state", flat=True)) == {UploadState.INSPECTING}
    assert sorted(path.read_bytes() == content for path in files(folder)) == [True] * 100
    assert staged_bytes() == {}


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (ConnectionError("503 Slow Down"), 503, "platform:storage_unavailable"),
        (EndpointConnectionError(endpoint_url="s3"), 503, "platform:storage_unavailable"),
        (OSError(errno.ENOSPC, "No space left on device"), 507, "platform:disk_full"),
    ],
)
def test_a_file_in_one_request_that_cannot_be_stored_is_asked_for_again(
    error: Exception, status: int, code: str, api: APIClient, in_tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*arguments: object) -> None:
        raise error

    def post() -> Any:
        file = SimpleUploadedFile("rows.jsonl", pairs(5))
        return api.post("/api/v1/datasets/", {"name": "Clauses", "file": file}, format="multipart")

    with monkeypatch.context() as patched:
        patched.setattr(FileSystemStorage, "_save", fail)
        answer = post()
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert (Dataset.objects.count(), used_bytes(in_tenant)) == (0, 0)
    assert post().status_code == 201


def test_nothing_is_done_twice_to_an_upload_that_went_on(api: APIClient, in_tenant: Tenant) -> None:
    whole(api, pairs(50))
    upload = Upload.objects.get()
    untouched(upload, since=dt.timedelta(seconds=20))
    assert go_on_with_whole_uploads() == 0
    assert Upload.objects.get().job_id == upload.job_id


def test_a_process_that_died_after_storing_is_made_good(
    api: APIClient, in_tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = pairs(50)
    url = begin(api, len(content))["Location"]
    with monkeypatch.context() as patched:
        patched.setattr("corpora.uploads.receiving.start_inspection", lambda upload: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            send(api, url, content, offset=0)
    upload = Upload.objects.get()
    assert (upload.state, upload.received) == (UploadState.RECEIVING, len(content))
    untouched(upload, since=dt.timedelta(seconds=20))
    assert go_on_with_whole_uploads() == 1
    upload.refresh_from_db()
    assert (upload.state, stored(upload)) == (UploadState.INSPECTING, content)
    assert staged_bytes() == {}


def test_a_file_lost_before_it_was_stored_is_asked_for_again(api: APIClient, in_tenant: Tenant) -> None:
    url = begin(api, 100)["Location"]
    upload = Upload.objects.get()
    Upload.objects.update(received=100)
    untouched(upload, since=dt.timedelta(seconds=20))
    assert go_on_with_whole_uploads() == 0
    assert api.head(url, headers=TUS)["Upload-Offset"] == "0"
    assert not default_storage.exists(upload.key)


def away(*arguments: object) -> None:
    raise ConnectionError("503 Slow Down")


def test_cancelling_while_storage_fails_is_made_good(
    api: APIClient, in_tenant: Tenant, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    url = whole(api, pairs(50))
    key = Upload.objects.get().key
    with monkeypatch.context() as patched, django_capture_on_commit_callbacks(execute=True):
        patched.setattr(FileSystemStorage, "delete", away)
        assert api.delete(url, headers=TUS).status_code == 204
    assert (Upload.objects.count(), used_bytes(in_tenant)) == (0, 0)
    assert send(api, url, b"x", offset=0).status_code == 404
    assert default_storage.exists(key)
    later()
    assert remove_due_objects() == 1
    assert not default_storage.exists(key)


@pytest.mark.parametrize("dies", [False, True])
def test_a_file_that_is_stored_while_somebody_cancels_goes_again(
    dies: bool, api: APIClient, in_tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process either notices this while storage fails too, or ends before it notices."""
    url = begin(api, 100)["Location"]
    upload = Upload.objects.get()
    store = staging.store

    def cancelled(upload_id: UUID, key: str, size: int) -> str | None:
        assert api.delete(url, headers=TUS).status_code == 204
        staging.staged_path(upload_id).write_bytes(b"x" * size)
        stored = store(upload_id, key, size)
        monkeypatch.setattr(FileSystemStorage, "delete", away)
        assert not dies
        return stored

    with monkeypatch.context() as patched:
        patched.setattr(staging, "store", cancelled)
        with nullcontext() if not dies else pytest.raises(AssertionError):
            assert send(api, url, b"x" * 100, offset=0).status_code == 410
    monkeypatch.undo()
    assert default_storage.exists(upload.key)
    later()
    remove_due_objects()
    assert not default_storage.exists(upload.key)


def test_uploads_untouched_for_a_day_are_cleared_away(
    api: APIClient, in_tenant: Tenant, run_jobs: Callable[..., None]
) -> None:
    half = begin(api, 100)["Location"]
    send(api, half, b"x" * 60, offset=0)
    waiting = whole(api, pairs(50))
    run_jobs()
    upload = Upload.objects.get(state=UploadState.WAITING)
    assert clear_abandoned_uploads() == 0
    untouched(*Upload.objects.all())
    assert clear_abandoned_uploads() == 2
    later()
    remove_due_objects()
    assert not Upload.objects.exists()
    assert staged_bytes() == {}
    assert not default_storage.exists(upload.key)
    assert used_bytes(in_tenant) == 0
    assert [api.head(url, headers=TUS).status_code for url in (half, waiting)] == [404, 404]


def test_an_upload_that_is_taken_up_again_meanwhile_is_not_cleared_away(
    api: APIClient, in_tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Uploads are listed first and then cancelled one by one, so one may change in between."""
    url = begin(api, 100)["Location"]
    untouched(Upload.objects.get())

    def taken_up(**arguments: Any) -> None:
        assert send(api, url, b"x" * 60, offset=0).status_code == 204
        abort_upload(**arguments)

    monkeypatch.setattr("corpora.uploads.left_behind.abort_upload", taken_up)
    clear_abandoned_uploads()
    assert send(api, url, b"x" * 40, offset=60).status_code == 204
    assert Upload.objects.get().state == UploadState.INSPECTING


def test_what_became_a_version_is_never_cleared_away(
    api: APIClient, in_tenant: Tenant, run_jobs: Callable[..., None]
) -> None:
    whole(api, pairs(50), confirm="1")
    run_jobs()
    untouched(*Upload.objects.all())
    assert clear_abandoned_uploads() == 0
    assert default_storage.exists(DatasetVersion.objects.get().upload_key)


def test_files_without_an_upload_are_cleared_away_once_they_are_old(api: APIClient, in_tenant: Tenant) -> None:
    begin_url = begin(api, 100)["Location"]
    send(api, begin_url, b"x" * 60, offset=0)
    kept = staging.staged_path(Upload.objects.get().id)
    young, old = staging.staged_path(uuid4()), staging.staged_path(uuid4())
    for path in (young, old):
        path.write_bytes(b"x")
    long_ago = (timezone.now() - DAY_AND_MORE).timestamp()
    for path in (kept, old):
        os.utime(path, (long_ago, long_ago))
    assert clear_abandoned_uploads() == 1
    assert set(staged_bytes()) == {kept, young}
