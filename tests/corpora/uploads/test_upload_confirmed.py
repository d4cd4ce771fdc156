"""An upload is inspected, corrected, confirmed and imported as one dataset version."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.db import connection
from rest_framework.test import APIClient

from corpora.models import Dataset, DatasetVersion, Upload, UploadState, VersionState
from corpora.uploads.services import confirm_upload
from jobs.services import stop_job
from rest.errors import PortalError
from tenants.models import Tenant
from tenants.scope import tenant_scope
from tests.corpora.conftest import pairs
from tests.corpora.uploads.uploading import whole

pytestmark = pytest.mark.slow

TABLE = b"Frage;Antwort\n" + b"".join(f"question {i};answer {i}\n".encode() for i in range(30))
MAPPED = {"prompt": "frage", "completion": "antwort"}

Run = Callable[..., None]


@pytest.mark.django_db
def test_a_known_layout_is_read_and_becomes_a_version(api: APIClient, run_jobs: Run, tenant: Tenant) -> None:
    url = whole(api, pairs(40), name="Clauses")
    run_jobs()
    upload = api.get(url).json()
    assert (upload["state"], upload["error"]) == ("waiting", None)
    assert upload["inspection"]["mapping"] == {"prompt": "prompt", "completion": "completion"}
    assert upload["inspection"]["rows"][0]["messages"][0]["content"] == "question 0"
    assert len(upload["sha256"]) == 64
    answer = api.post(f"{url}confirm/", {})
    assert answer.status_code == 200, answer.content
    assert (answer.json()["state"], answer.json()["version"]["number"]) == ("done", 1)
    run_jobs()
    with tenant_scope(tenant.id):
        version = DatasetVersion.objects.get()
        assert (version.state, version.row_count, version.dataset.name) == (VersionState.READY, 40, "Clauses")
        assert version.upload_sha256 == upload["sha256"]


@pytest.mark.django_db
def test_columns_are_corrected_before_the_file_is_used(api: APIClient, run_jobs: Run, tenant: Tenant) -> None:
    url = whole(api, TABLE)
    run_jobs()
    first = api.get(url).json()
    assert first["state"] == "waiting"
    assert first["inspection"]["proposed"] == ["prompt", "completion"]
    assert first["options"]["columns"] == {}
    options = {"file_format": "csv", "delimiter": ";", "layout": "prompt and completion", "columns": MAPPED}
    assert api.post(f"{url}inspect/", {"options": options}).json()["state"] == "inspecting"
    run_jobs()
    second = api.get(url).json()["inspection"]
    assert second["rows"][0]["messages"][1]["content"] == "answer 0"
    assert second["problems"] == []
    api.post(f"{url}confirm/", {"options": {"test_share": 0.5}, "name": "Fragen"})
    run_jobs()
    with tenant_scope(tenant.id):
        version = DatasetVersion.objects.get()
        assert (version.state, version.row_count, version.dataset.name) == (VersionState.READY, 30, "Fragen")
        assert version.options["columns"] == MAPPED
        assert version.options["test_share"] == 0.5


@pytest.mark.django_db
def test_an_upload_that_confirms_itself_is_a_version_without_being_asked_about(api: APIClient, run_jobs: Run) -> None:
    url = whole(api, pairs(40), confirm="1")
    run_jobs()
    upload = api.get(url).json()
    assert (upload["state"], upload["version"]["state"]) == ("done", "ready")


@pytest.mark.django_db
def test_the_same_bytes_again_confirm_nothing_and_are_given_up(
    api: APIClient, run_jobs: Run, tenant: Tenant, django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    whole(api, pairs(40), name="Clauses", confirm="1")
    run_jobs()
    url = whole(api, pairs(40), name="Clauses", confirm="1")
    with tenant_scope(tenant.id):
        key = Upload.objects.get(state=UploadState.INSPECTING).key
    assert default_storage.exists(key)
    with django_capture_on_commit_callbacks(execute=True):
        run_jobs()
    answer = api.get(url).json()
    assert (answer["state"], answer["error"]["code"]) == ("failed", "dataset:same_file")
    with tenant_scope(tenant.id):
        assert DatasetVersion.objects.count() == 1
        assert Upload.objects.holding_bytes().count() == 0
    assert not default_storage.exists(key)


@pytest.mark.django_db
def test_confirming_twice_gives_the_same_version(api: APIClient, run_jobs: Run) -> None:
    url = whole(api, pairs(40))
    run_jobs()
    first, second = (api.post(f"{url}confirm/", {}).json()["version"]["id"] for _ in range(2))
    assert first == second


@pytest.mark.django_db
def test_options_that_say_what_holds_anyway_make_no_other_version(api: APIClient, run_jobs: Run) -> None:
    urls = [whole(api, pairs(40), name="Clauses") for _ in range(2)]
    run_jobs()
    assert api.post(f"{urls[0]}confirm/", {}).status_code == 200
    answer = api.post(f"{urls[1]}confirm/", {"options": {"bad_rows": "refuse", "seed": 0, "test_share": 0.1}})
    assert (answer.status_code, answer.json()["code"]) == (409, "dataset:same_file")


@pytest.mark.django_db
def test_what_cannot_be_done_yet_is_said_so(api: APIClient, run_jobs: Run) -> None:
    url = whole(api, pairs(40))
    for step in ("confirm/", "inspect/"):
        answer = api.post(url + step, {})
        assert (answer.status_code, answer.json()["code"]) == (409, "upload:not_waiting")
    run_jobs()
    answer = api.post(f"{url}confirm/", {"options": {"seed": "many"}})
    assert (answer.status_code, answer.json()["field"]) == (400, "options.seed")
    api.post(f"{url}confirm/", {})
    assert api.delete(url).json()["code"] == "upload:already_used"
    assert api.post(f"{url}inspect/", {}).status_code == 409


@pytest.mark.django_db
def test_a_stopped_look_leaves_the_file_to_be_used_all_the_same(api: APIClient, run_jobs: Run, tenant: Tenant) -> None:
    url = whole(api, pairs(40))
    with tenant_scope(tenant.id):
        job = Upload.objects.get().job
        assert job is not None
        stop_job(job_id=job.id)
    run_jobs()
    upload = api.get(url).json()
    assert (upload["state"], upload["error"]["code"]) == ("waiting", "upload:look_stopped")
    assert api.post(f"{url}confirm/", {}).status_code == 200
    run_jobs()
    assert api.get(url).json()["version"]["state"] == "ready"


@pytest.mark.django_db
def test_another_organisations_upload_is_neither_looked_at_nor_confirmed(
    api: APIClient, other_api: APIClient, run_jobs: Run
) -> None:
    url = whole(api, pairs(40))
    run_jobs()
    for step in ("confirm/", "inspect/", "parts/", "complete/"):
        assert other_api.post(url + step, {}).status_code == 404
    assert api.get(url).json()["state"] == "waiting"


@pytest.mark.django_db(transaction=True)
def test_the_same_file_confirmed_twice_at_once_is_one_version(tenant: Tenant) -> None:
    with tenant_scope(tenant.id):
        uploads = [
            Upload.objects.create(
                file_name="rows.jsonl", dataset_name="Clauses", bytes=5, received=5, sha256="0" * 64,
                key=f"tenants/x/{number}", state=UploadState.WAITING, options={},
            )
            for number in range(2)
        ]  # fmt: skip
    outcomes: list[str] = []
    both = threading.Barrier(2)

    def confirm(upload: Upload) -> None:
        try:
            with tenant_scope(tenant.id):
                both.wait(timeout=30)
                outcomes.append(f"version {confirm_upload(upload=upload, created_by=None).number}")
        except PortalError as error:
            outcomes.append(error.code)
        finally:
            connection.close()

    threads = [threading.Thread(target=confirm, args=(upload,)) for upload in uploads]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert sorted(outcomes) == ["dataset:same_file", "version 1"]
    with tenant_scope(tenant.id):
        assert (Dataset.objects.count(), DatasetVersion.objects.count()) == (1, 1)
        states: list[Any] = sorted(Upload.objects.values_list("state", flat=True))
        assert states == [UploadState.DONE, UploadState.WAITING]
