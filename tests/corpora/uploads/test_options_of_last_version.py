"""An upload to a dataset begins with the options of its newest version."""

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from rest_framework.test import APIClient

from tests.corpora.uploads.uploading import whole

pytestmark = pytest.mark.django_db

DATASETS = "/api/v1/datasets/"
VERSIONS = "/api/v1/dataset-versions/"
COLUMNS = {"prompt": "query", "completion": "response"}
OPTIONS = {"columns": COLUMNS, "bad_rows": "leave_out"}


def rows(count: int, prompt: str = "query", answer: str = "response") -> bytes:
    return "".join(json.dumps({prompt: f"q{n}", answer: f"r{n}"}) + "\n" for n in range(count)).encode()


def send(api: APIClient, content: bytes, path: str, **fields: Any) -> Any:
    answer = api.post(path, {"file": SimpleUploadedFile("rows.jsonl", content), **fields}, format="multipart")
    assert answer.status_code == 201, answer.content
    return answer.json()


@pytest.fixture
def dataset(api: APIClient, run_jobs: Callable[..., None]) -> str:
    found: str = send(api, rows(30), DATASETS, name="Support", options=json.dumps(OPTIONS))["id"]
    run_jobs()
    return found


def test_one_request_takes_them_by_id_and_by_name(api: APIClient, dataset: str, run_jobs: Callable[..., None]) -> None:
    second = send(api, rows(31), f"{DATASETS}{dataset}/versions/")
    third = send(api, rows(32), DATASETS, name="Support")["version"]
    run_jobs()
    for version in (second, third):
        found = api.get(f"{VERSIONS}{version['id']}/").json()
        assert (found["state"], found["options"]["columns"]) == ("ready", COLUMNS)
        assert found["options"]["bad_rows"] == "leave_out"


def test_an_empty_object_starts_afresh(api: APIClient, dataset: str) -> None:
    version = send(api, rows(31), f"{DATASETS}{dataset}/versions/", options="{}")
    assert (version["options"]["columns"], version["options"]["bad_rows"]) == ({}, "refuse")


def test_a_refusal_names_the_column_and_the_version(
    api: APIClient, dataset: str, run_jobs: Callable[..., None]
) -> None:
    version = send(api, rows(31, "question"), f"{DATASETS}{dataset}/versions/")
    run_jobs()
    text = api.get(f"{VERSIONS}{version['id']}/").json()["error"]["text"]
    assert "“query”" in text
    assert "came from version 1" in text


def test_resumable_uploads_take_them(api: APIClient, dataset: str, run_jobs: Callable[..., None]) -> None:
    url = whole(api, rows(31), dataset=dataset, confirm="1")
    run_jobs()
    assert api.get(url).json()["version"]["options"]["columns"] == COLUMNS
    afresh = whole(api, rows(32), dataset=dataset, options={})
    assert api.get(afresh).json()["options"]["columns"] == {}


def test_the_preview_drops_absent_columns_with_a_notice(
    api: APIClient, as_alice: Client, dataset: str, run_jobs: Callable[..., None]
) -> None:
    url = whole(api, rows(31, "question"), dataset=dataset)
    run_jobs()
    upload = api.get(url).json()
    assert (upload["state"], upload["options"]["columns"]) == ("waiting", {"completion": "response"})
    page = as_alice.get(urlsplit(upload["links"]["page"]).path).content.decode()
    assert "as in the last version (version 1)" in page
    assert "This file has no “query”" in page
