"""The tus protocol: behaviour that clients rely on, and requests it refuses."""

from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings
from rest_framework.test import APIClient

from corpora.models import Dataset, Upload, UploadState
from jobs.models import Job
from tenants.models import Tenant
from tenants.scope import system_scope, tenant_scope
from tests.corpora.conftest import pairs
from tests.corpora.uploads.uploading import BYTES, TUS, UPLOADS, begin, send, staged_bytes, stored, whole

pytestmark = pytest.mark.django_db

CONTENT = pairs(50)


def only_upload() -> Upload:
    with system_scope():
        return Upload.objects.get()


def test_a_whole_file_is_stored_and_looked_at(api: APIClient) -> None:
    url = whole(api, CONTENT, name="Clauses")
    upload = only_upload()
    with tenant_scope(upload.tenant_id):
        assert stored(upload) == CONTENT
        assert upload.job is not None
        assert (upload.job.kind, upload.state) == ("dataset_inspect", UploadState.INSPECTING)
    assert staged_bytes() == {}
    answer = api.get(url).json()
    assert (answer["state"], answer["received"], answer["dataset_name"]) == ("inspecting", len(CONTENT), "Clauses")


def test_the_head_says_where_to_go_on(api: APIClient) -> None:
    url = begin(api, len(CONTENT))["Location"]
    send(api, url, CONTENT[:100], offset=0)
    answer = api.head(url, headers=TUS)
    assert answer.status_code == 200
    assert answer.content == b""
    assert (answer["Upload-Offset"], answer["Upload-Length"]) == ("100", str(len(CONTENT)))
    assert (answer["Cache-Control"], answer["Tus-Resumable"]) == ("no-store", "1.0.0")
    assert answer["Upload-Expires"].endswith("GMT")


def test_what_the_server_can_do(api: APIClient, settings: Settings) -> None:
    answer = api.options(UPLOADS)
    assert answer.status_code == 204
    assert answer["Tus-Version"] == "1.0.0"
    assert answer["Tus-Max-Size"] == str(settings.MAX_UPLOAD_BYTES)
    assert set(answer["Tus-Extension"].split(",")) == {"creation", "termination", "expiration"}


def test_bytes_at_the_wrong_offset_are_refused_and_nothing_is_written(api: APIClient) -> None:
    url = begin(api, len(CONTENT))["Location"]
    send(api, url, CONTENT[:100], offset=0)
    for offset in (0, 99, 101):
        answer = send(api, url, b"x" * 10, offset=offset)
        assert (answer.status_code, answer.json()["code"]) == (409, "upload:wrong_offset")
        assert answer.json()["received"] == 100
    assert list(staged_bytes().values()) == [100]


def test_more_bytes_than_announced_are_refused_whole(api: APIClient) -> None:
    url = begin(api, 100)["Location"]
    send(api, url, b"x" * 60, offset=0)
    answer = send(api, url, b"x" * 41, offset=60)
    assert (answer.status_code, answer.json()["code"]) == (413, "upload:too_many_bytes")
    assert only_upload().received == 60


def test_a_whole_upload_takes_no_more(api: APIClient) -> None:
    url = whole(api, CONTENT)
    answer = send(api, url, b"x", offset=len(CONTENT))
    assert (answer.status_code, answer.json()["code"]) == (409, "upload:not_receiving")


@pytest.mark.parametrize("size", ["-1", "1.5", "", "many", "9" * 30, "٣"])
def test_a_length_that_is_no_length_is_refused(api: APIClient, size: str) -> None:
    answer = begin(api, size.encode().decode("latin-1"))
    assert (answer.status_code, answer.json()["code"]) == (400, "upload:wrong_header")


@pytest.mark.parametrize("offset", ["-1", "", "0x10", "1e3"])
def test_an_offset_that_is_no_offset_is_refused(api: APIClient, offset: str) -> None:
    url = begin(api, 100)["Location"]
    assert send(api, url, b"x", offset=offset).json()["code"] == "upload:wrong_header"


def test_an_empty_and_a_too_large_file_are_refused_at_once(api: APIClient, settings: Settings) -> None:
    settings.MAX_UPLOAD_BYTES = 1000
    assert begin(api, 0).json()["code"] == "dataset:empty_file"
    answer = begin(api, 1001)
    assert (answer.status_code, answer.json()["code"]) == (413, "dataset:too_large")
    with system_scope():
        assert not Upload.objects.exists()


@pytest.mark.parametrize("said", ["filename", "filename !!!", "filename /w==", "options bm8=", "options W10="])
def test_metadata_that_cannot_be_read_is_refused(api: APIClient, said: str) -> None:
    answer = api.post(UPLOADS, headers={**TUS, "Upload-Length": "5", "Upload-Metadata": said})
    assert answer.status_code in {201, 400}, answer.content
    # The protocol allows a key without a value.
    assert (answer.status_code == 201) == (said == "filename")


def test_a_wrong_option_is_named(api: APIClient) -> None:
    answer = begin(api, 5, options={"bad_rows": "shout"})
    assert (answer.status_code, answer.json()["code"]) == (400, "dataset:wrong_option")
    assert answer.json()["field"] == "options.bad_rows"


@pytest.mark.parametrize("column", ["a\0b", "a\ud800b"])
def test_a_character_that_no_database_takes_is_refused(api: APIClient, column: str) -> None:
    answer = begin(api, 5, options={"columns": {"prompt": column}})
    assert (answer.status_code, answer.json()["field"]) == (400, "options.columns")


def test_another_version_or_type_is_refused(api: APIClient) -> None:
    url = begin(api, 5)["Location"]
    other = api.head(url, headers={"Tus-Resumable": "0.2.2"})
    assert (other.status_code, other["Tus-Version"]) == (412, "1.0.0")
    silent = api.generic("PATCH", url, "abc", content_type=BYTES, headers={"Upload-Offset": "0"})
    assert silent.status_code == 412
    typed = api.generic("PATCH", url, "abc", content_type="text/plain", headers={**TUS, "Upload-Offset": "0"})
    assert (typed.status_code, typed.json()["code"]) == (415, "upload:wrong_content_type")
    assert only_upload().received == 0


def test_a_cancelled_upload_leaves_nothing(api: APIClient) -> None:
    url = begin(api, 100)["Location"]
    send(api, url, b"x" * 60, offset=0)
    assert api.delete(url, headers=TUS).status_code == 204
    assert api.head(url, headers=TUS).status_code == 404
    assert staged_bytes() == {}
    with system_scope():
        assert not Upload.objects.exists()


def test_a_cancelled_look_stops_its_job(api: APIClient, django_capture_on_commit_callbacks: Any) -> None:
    url = whole(api, CONTENT)
    upload = only_upload()
    with django_capture_on_commit_callbacks(execute=True):
        assert api.delete(url, headers=TUS).status_code == 204
    with tenant_scope(upload.tenant_id):
        assert Job.objects.get().state == "stopped"
        with pytest.raises(FileNotFoundError):
            stored(upload)


def test_another_organisations_upload_and_dataset_do_not_exist(
    api: APIClient, other_api: APIClient, other_tenant: Tenant
) -> None:
    with tenant_scope(other_tenant.id):
        foreign = Dataset.objects.create(name="Theirs")
    assert begin(api, 5, dataset=foreign.id).status_code == 404
    url = begin(api, 5)["Location"]
    assert other_api.head(url, headers=TUS).status_code == 404
    assert send(other_api, url, b"hello", offset=0).status_code == 404
    assert other_api.delete(url, headers=TUS).status_code == 404
    assert only_upload().received == 0


def test_a_signed_in_browser_needs_its_token(as_alice: Client) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.cookies = as_alice.cookies
    headers = {**TUS, "Upload-Length": "5"}
    assert browser.generic("POST", UPLOADS, headers=headers).status_code == 403
    browser.get("/datasets/upload/")
    token = browser.cookies["csrftoken"].value
    assert browser.generic("POST", UPLOADS, headers={**headers, "X-CSRFToken": token}).status_code == 201


def test_a_program_may_announce_a_file_as_json(api: APIClient) -> None:
    answer = api.post(UPLOADS, {"file_name": "ticket_rows.csv.gz", "bytes": 5, "options": {"seed": 3}})
    assert answer.status_code == 201
    assert answer.json()["dataset_name"] == "ticket rows"
    assert answer.json()["options"]["seed"] == 3
    assert send(api, answer["Location"], b"hello", offset=0).status_code == 204
    [listed] = api.get(UPLOADS).json()["results"]
    assert listed["id"] == answer.json()["id"]
    assert "inspection" not in listed
