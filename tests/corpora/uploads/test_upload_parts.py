"""Uploads in parts directly to S3, on moto's server over real HTTP."""

import datetime as dt
import hashlib
import random
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.config import Config
from django.core.files.storage import default_storage
from django.utils import timezone
from moto.server import ThreadedMotoServer
from pytest_django import Settings
from rest_framework.test import APIClient

from corpora.models import DatasetVersion, Upload, UploadState, VersionState
from corpora.quota import used_bytes
from corpora.uploads.backends import parts_storage, s3
from corpora.uploads.left_behind import clear_abandoned_uploads, go_on_with_whole_uploads
from tenants.models import Tenant
from tests.corpora.conftest import pairs
from tests.corpora.uploads.uploading import UPLOADS, send

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

MIB = 1 << 20
PART = 5 * MIB


@pytest.fixture(scope="module")
def s3_server() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(autouse=True)
def bucket(s3_server: str, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Any:
    """An empty bucket as the default storage, with the smallest parts that S3 allows."""
    httpx.post(f"{s3_server}/moto-api/reset").raise_for_status()
    options = {
        "bucket_name": "datasets", "endpoint_url": s3_server, "region_name": "eu-central-1",
        "access_key": "test", "secret_key": "test", "location": "portal",
        # Without retries, so that refusals of S3 surface immediately.
        "client_config": Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}),
    }  # fmt: skip
    settings.STORAGES = {
        **settings.STORAGES,
        "default": {"BACKEND": "storages.backends.s3.S3Storage", "OPTIONS": options},
    }
    monkeypatch.setattr(s3, "SMALLEST_PART_BYTES", PART)
    bucket = default_storage.bucket  # type: ignore[attr-defined]
    bucket.create(CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    return bucket


def begin(api: APIClient, size: int, **said: Any) -> dict[str, Any]:
    answer = api.post(UPLOADS, {"file_name": "rows.jsonl", "bytes": size, **said})
    assert answer.status_code == 201, answer.content
    return dict(answer.json())


def put_parts(api: APIClient, upload: dict[str, Any], content: bytes, *, most: int = 100) -> int:
    """Send the requested parts. Returns their number."""
    sent = 0
    while sent < most and (parts := api.post(upload["links"]["parts"]).json()["parts"]):
        for part in parts[: most - sent]:
            data = content[part["offset"] : part["offset"] + part["bytes"]]
            assert len(data) == part["bytes"]
            httpx.put(part["url"], content=data).raise_for_status()
            sent += 1
    return sent


def open_parts(bucket: Any) -> list[Any]:
    return list(bucket.meta.client.list_multipart_uploads(Bucket=bucket.name).get("Uploads", []))


def test_a_file_goes_straight_to_the_bucket_and_becomes_a_version(
    api: APIClient, bucket: Any, run_jobs: Callable[..., None], in_tenant: Tenant
) -> None:
    content = pairs(250_000)
    assert len(content) > 2 * PART
    upload = begin(api, len(content), confirm=True)
    assert put_parts(api, upload, content) == -(-len(content) // PART)
    answer = api.post(upload["links"]["complete"])
    assert (answer.status_code, answer.json()["state"]) == (200, "inspecting")
    assert answer.json()["received"] == len(content)
    assert [item.key for item in bucket.objects.all()] == [f"portal/{Upload.objects.get().key}"]
    assert open_parts(bucket) == []
    run_jobs()
    version = DatasetVersion.objects.get()
    assert (version.state, version.row_count) == (VersionState.READY, 250_000)


def test_a_broken_one_goes_on_with_the_parts_that_are_missing(api: APIClient, bucket: Any) -> None:
    content = random.Random(1).randbytes(3 * PART + 7)
    upload = begin(api, len(content))
    assert put_parts(api, upload, content, most=2) == 2
    answer = api.post(upload["links"]["parts"]).json()
    assert (answer["received"], [part["number"] for part in answer["parts"]]) == (2 * PART, [3, 4])
    early = api.post(upload["links"]["complete"])
    assert (early.status_code, early.json()["code"], early.json()["received"]) == (409, "upload:not_whole", 2 * PART)
    assert put_parts(api, upload, content) == 2
    assert api.post(upload["links"]["complete"]).status_code == 200
    [item] = bucket.objects.all()
    assert item.get()["Body"].read() == content


def test_a_part_of_the_wrong_size_is_not_taken_for_the_part(api: APIClient) -> None:
    upload = begin(api, PART + 10)
    first, second = api.post(upload["links"]["parts"]).json()["parts"]
    httpx.put(first["url"], content=b"x" * PART).raise_for_status()
    httpx.put(second["url"], content=b"x" * 9).raise_for_status()
    answer = api.post(upload["links"]["parts"]).json()
    assert (answer["received"], [part["number"] for part in answer["parts"]]) == (PART, [2])


def test_completing_twice_and_after_a_lost_answer_is_the_same(
    api: APIClient, in_tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = b"x" * 100
    upload = begin(api, len(content))
    put_parts(api, upload, content)
    with monkeypatch.context() as patched:
        patched.setattr("corpora.uploads.receiving.start_inspection", lambda upload: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            api.post(upload["links"]["complete"])
    Upload.objects.update(touched_at=timezone.now() - dt.timedelta(seconds=20))
    assert Upload.objects.get().state == UploadState.RECEIVING
    assert go_on_with_whole_uploads() == 1
    assert Upload.objects.get().state == UploadState.INSPECTING
    assert api.post(upload["links"]["complete"]).json()["code"] == "upload:not_receiving"


def test_cancelling_removes_the_parts(api: APIClient, bucket: Any, in_tenant: Tenant) -> None:
    content = b"x" * (PART + 1)
    upload = begin(api, len(content))
    put_parts(api, upload, content, most=1)
    assert len(open_parts(bucket)) == 1
    assert api.delete(upload["links"]["self"]).status_code == 204
    assert open_parts(bucket) == []
    assert used_bytes(in_tenant) == 0


def test_parts_without_an_upload_are_cleared_away_once_they_are_old(
    api: APIClient, bucket: Any, in_tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin(api, 100)
    storage = parts_storage()
    assert storage is not None
    storage.begin("tenants/somebody/datasets/stray/upload")
    # moto reports 2010 as the start of every upload.
    with monkeypatch.context() as patched:
        young = [(key, number, timezone.now()) for key, number, _ in storage.open_uploads("tenants/")]
        patched.setattr(s3.PartsStorage, "open_uploads", lambda self, prefix: iter(young))
        assert clear_abandoned_uploads() == 0
    assert len(open_parts(bucket)) == 2
    assert clear_abandoned_uploads() == 1
    assert [item["Key"] for item in open_parts(bucket)] == [f"portal/{Upload.objects.get().key}"]


def test_bytes_do_not_take_both_ways(api: APIClient) -> None:
    upload = begin(api, 100)
    assert send(api, upload["links"]["self"], b"x" * 100, offset=0).json()["code"] == "upload:not_receiving"
    by_tus = api.post(UPLOADS, headers={"Tus-Resumable": "1.0.0", "Upload-Length": "100"})
    assert api.post(f"{by_tus['Location']}parts/").json()["code"] == "upload:not_receiving"
    assert send(api, by_tus["Location"], b"x" * 100, offset=0).status_code == 204


def test_a_bucket_that_fails_often_loses_nothing(api: APIClient, bucket: Any, in_tenant: Tenant) -> None:
    """Every fifth call gets 503. A client that retries succeeds."""
    chance = random.Random(3)
    bucket.meta.client.meta.events.register(
        "before-send.s3", lambda request, **_: _slow_down(request) if chance.random() < 0.2 else None
    )
    content = b"x" * 1000
    refused = 0

    def insist(url: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        nonlocal refused
        for _ in range(50):
            answer = api.post(url, body or {})
            if answer.status_code != 503:
                assert answer.status_code in {200, 201}, answer.content
                return dict(answer.json())
            refused += 1
            assert answer.json()["code"] == "platform:storage_unavailable"
        raise AssertionError("never answered")

    for _ in range(20):
        upload = insist(UPLOADS, {"file_name": "rows.jsonl", "bytes": len(content)})
        for part in insist(upload["links"]["parts"])["parts"]:
            httpx.put(part["url"], content=content).raise_for_status()
        insist(upload["links"]["complete"])
    assert refused
    assert set(Upload.objects.values_list("state", flat=True)) == {UploadState.INSPECTING}
    assert used_bytes(in_tenant) == 20 * len(content)


def test_a_bucket_that_fails_often_ends_in_ready_versions_and_typed_answers(
    api: APIClient, bucket: Any, in_tenant: Tenant, run_jobs: Callable[..., None]
) -> None:
    """From the file in storage to its rows on a page, failing calls cost time but never a version."""
    contents = {f"rows {number}": pairs(40 + number) for number in range(5)}
    for name, content in contents.items():
        upload = begin(api, len(content), confirm=True, name=name)
        put_parts(api, upload, content)
        assert api.post(upload["links"]["complete"]).status_code == 200
    chance, failed = random.Random(4), 0

    def fail_often(request: Any, **_: Any) -> AWSResponse | None:
        nonlocal failed
        if chance.random() >= 0.2:
            return None
        failed += 1
        return _slow_down(request)

    bucket.meta.client.meta.events.register("before-send.s3", fail_often)
    run_jobs()
    assert failed > 10
    versions = DatasetVersion.objects.select_related("dataset", "job")
    assert {(version.state, version.job.attempt) for version in versions if version.job} == {(VersionState.READY, 1)}
    for version in versions:
        assert version.upload_sha256 == hashlib.sha256(contents[version.dataset.name]).hexdigest()
    rows_bytes = sum(version.rows_bytes for version in versions)
    assert used_bytes(in_tenant) == sum(map(len, contents.values())) + rows_bytes
    url = f"/api/v1/dataset-versions/{versions[0].id}/"
    answers = [api.get(f"{url}{part}/") for part in ("rows", "findings", "diff", "export") for _ in range(8)]
    assert {answer.status_code for answer in answers} == {200, 503}
    refusals = [answer.json()["code"] for answer in answers if answer.status_code == 503]
    assert set(refusals) == {"platform:storage_unavailable"}


def _slow_down(request: Any) -> AWSResponse:
    class Body:
        def stream(self, **_: Any) -> Iterator[bytes]:
            yield b"<Error><Code>SlowDown</Code></Error>"

    return AWSResponse(request.url, 503, HTTPHeaders(), Body())
