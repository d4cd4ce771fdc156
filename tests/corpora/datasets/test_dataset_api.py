"""Datasets over REST: uploads, responses and problem+json errors."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from pytest_django import DjangoAssertNumQueries, Settings
from rest_framework.test import APIClient

from corpora.models import Dataset, DatasetVersion
from tenants.models import Tenant
from tenants.scope import tenant_scope
from tests.corpora.conftest import pairs
from tests.corpora.ingest.test_bad_files import FILES

pytestmark = pytest.mark.django_db

DATASETS = "/api/v1/datasets/"
VERSIONS = "/api/v1/dataset-versions/"


def send(client: APIClient, content: bytes, *, path: str = DATASETS, **fields: Any) -> Any:
    body = {"file": SimpleUploadedFile("rows.jsonl", content), **fields}
    return client.post(path, body, format="multipart")


def problem(response: Any) -> tuple[int, str]:
    assert response.headers["Content-Type"] == "application/problem+json"
    return response.status_code, response.json()["code"]


def test_an_upload_answers_with_the_version_and_its_job(api: APIClient, run_jobs: Callable[..., None]) -> None:
    response = send(api, pairs(30), name="Clauses")
    assert response.status_code == 201, response.content
    dataset = response.json()
    version = dataset["version"]
    assert (version["number"], version["state"], version["error"]) == (1, "checking", None)
    assert version["job"]["kind"] == "dataset_check"
    assert api.get(f"/api/v1/jobs/{version['job']['id']}/").status_code == 200
    run_jobs()
    ready = api.get(f"{VERSIONS}{version['id']}/").json()
    assert (ready["state"], ready["row_count"], ready["problems"]) == ("ready", 30, [])
    assert ready["profile"]["slices"][0]["name"] == "all"
    assert api.get(f"{DATASETS}{dataset['id']}/").json()["version"]["state"] == "ready"


def test_the_next_version_is_posted_to_the_dataset(api: APIClient) -> None:
    dataset = send(api, pairs(3), name="Clauses").json()
    response = send(api, pairs(4), path=f"{DATASETS}{dataset['id']}/versions/")
    assert (response.status_code, response.json()["number"]) == (201, 2)
    listed = api.get(VERSIONS, {"dataset": dataset["id"]}).json()["results"]
    assert [version["number"] for version in listed] == [2, 1]
    assert "problems" not in listed[0]
    assert api.get(VERSIONS, {"state": "ready"}).json()["results"] == []


@pytest.mark.parametrize("name", ["prose", "a broken line", "a missing field", "a Parquet cut short", "UTF-32"])
def test_a_bad_file_is_a_rejected_version_that_names_line_and_field(
    name: str, api: APIClient, run_jobs: Callable[..., None]
) -> None:
    content, (line, field, code) = FILES[name]
    version = send(api, content, name="Clauses").json()["version"]
    run_jobs()
    rejected = api.get(f"{VERSIONS}{version['id']}/").json()
    assert rejected["state"] == "rejected"
    assert rejected["error"]["code"] == code
    first = rejected["problems"][0]
    assert (first["line"], first["field"], first["code"]) == (line, field, code)


def test_an_empty_file_is_refused(api: APIClient) -> None:
    assert problem(send(api, b"", name="Clauses")) == (400, "dataset:empty_file")


def test_a_file_over_the_limit_is_refused(api: APIClient, settings: Settings, tenant: Tenant) -> None:
    settings.MAX_UPLOAD_BYTES = 1000
    assert problem(send(api, pairs(100), name="Clauses")) == (413, "dataset:too_large")
    with tenant_scope(tenant.id):
        assert not Dataset.objects.exists()


def test_a_request_without_file_or_name_names_the_field(api: APIClient) -> None:
    response = api.post(DATASETS, {"name": "Clauses"}, format="multipart")
    assert problem(response) == (400, "request:invalid")
    assert response.json()["errors"][0]["field"] == "file"
    assert send(api, pairs(3)).json()["errors"][0]["field"] == "name"
    assert problem(send(api, pairs(3), name="  ")) == (400, "request:invalid")


def test_json_is_no_upload(api: APIClient) -> None:
    assert problem(api.post(DATASETS, {"name": "Clauses"}, format="json")) == (415, "request:unsupported_media_type")


def test_the_same_file_again_is_a_conflict_that_names_the_version(api: APIClient) -> None:
    version = send(api, pairs(3), name="Clauses").json()["version"]
    response = send(api, pairs(3), name="Clauses")
    assert problem(response) == (409, "dataset:same_file")
    assert response.json()["version"] == version["id"]


def test_another_tenant_sees_nothing(api: APIClient, other_api: APIClient, other_tenant: Tenant) -> None:
    dataset = send(api, pairs(3), name="Clauses").json()
    paths = (f"{DATASETS}{dataset['id']}/", f"{VERSIONS}{dataset['version']['id']}/")
    for path in paths:
        assert problem(other_api.get(path)) == (404, "request:not_found")
    assert problem(send(other_api, pairs(4), path=f"{paths[0]}versions/")) == (404, "request:not_found")
    assert other_api.get(DATASETS).json()["results"] == other_api.get(VERSIONS).json()["results"] == []
    assert problem(other_api.get(VERSIONS, {"dataset": dataset["id"]}))[0] == 400
    with tenant_scope(other_tenant.id):
        assert not DatasetVersion.objects.exists()


def test_a_stranger_is_refused(db: None) -> None:
    assert problem(APIClient().get(DATASETS))[0] == 401


def test_lists_need_a_fixed_number_of_queries(
    api: APIClient, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(8):
        send(api, pairs(3), name=f"Dataset {number}")
    with django_assert_max_num_queries(8):
        assert len(api.get(DATASETS).json()["results"]) == 8
    with django_assert_max_num_queries(8):
        assert len(api.get(VERSIONS).json()["results"]) == 8


def test_the_openapi_document_has_examples_for_datasets(api: APIClient) -> None:
    document = api.get("/api/v1/schema/", {"format": "json"}).json()
    create = document["paths"]["/api/v1/datasets/"]["post"]
    assert set(create["responses"]) == {"201", "400", "401", "403", "409", "413", "503", "507"}
    assert create["requestBody"]["content"]["multipart/form-data"]["examples"]
