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
    assert "kept from version 1: columns prompt from “query”, completion from “response”" in text
    assert "an empty object in `options`" in text


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


TABLE = b"prompt;completion\n" + b"".join(b"q%d;a%d\n" % (n, n) for n in range(20))
OTHERWISE = {
    "delimiter": (TABLE, {"delimiter": ";"}, TABLE.replace(b";", b","), "column separator semicolon"),
    "file_format": (TABLE, {"file_format": "csv"}, rows(20, "prompt", "completion"), "format csv"),
    "json": (rows(20, "prompt", "completion"), {"file_format": "jsonl"}, TABLE, "format jsonl"),
    "encoding": (
        TABLE.decode().encode("utf-16"), {"encoding": "utf-16"}, TABLE + "é;ü\n".encode(), "text encoding utf-16",
    ),
    "layout": (
        rows(20, "prompt", "completion"), {"layout": "prompt and completion"}, rows(20, "text", "label"),
        "row layout prompt and completion",
    ),
}  # fmt: skip
EACH = pytest.mark.parametrize(("before", "options", "after", "said"), OTHERWISE.values(), ids=list(OTHERWISE))


@EACH
def test_a_refusal_names_every_option_that_does_not_fit(
    api: APIClient, run_jobs: Callable[..., None], before: bytes, options: dict[str, str], after: bytes, said: str
) -> None:
    found = send(api, before, DATASETS, name="Support", options=json.dumps(options))["id"]
    run_jobs()
    version = send(api, after, f"{DATASETS}{found}/versions/")
    run_jobs()
    state = api.get(f"{VERSIONS}{version['id']}/").json()
    assert state["state"] == "rejected"
    assert f"kept from version 1: {said}." in state["error"]["text"]


@EACH
def test_the_preview_names_them_and_reads_the_file_afresh(
    api: APIClient, as_alice: Client, run_jobs: Callable[..., None],
    before: bytes, options: dict[str, str], after: bytes, said: str,
) -> None:  # fmt: skip
    found = send(api, before, DATASETS, name="Support", options=json.dumps({**options, "bad_rows": "leave_out"}))["id"]
    run_jobs()
    url = whole(api, after, dataset=found)
    run_jobs()
    upload = api.get(url).json()
    problem = upload["inspection"]["problems"][0]["text"]
    assert f"kept from version 1: {said}." in problem
    assert f"inspect it again with empty options: `{next(iter(options))}`" in problem
    path = urlsplit(upload["links"]["page"]).path
    page = as_alice.get(path).content.decode()
    assert f"This does not fit this file. How the file is read was kept from version 1: {said}." in page
    assert 'form="read-afresh" name="look" value="afresh"' in page
    assert as_alice.post(path, {"look": "afresh"})["Location"] == path
    run_jobs()
    upload = api.get(url).json()
    assert (upload["inspection"]["rows"] != [], upload["options"]["bad_rows"]) == (True, "leave_out")
    assert "kept from version" not in as_alice.get(path).content.decode()


def test_options_that_fit_are_named_and_can_be_dropped_too(
    api: APIClient, as_alice: Client, run_jobs: Callable[..., None]
) -> None:
    found = send(api, TABLE, DATASETS, name="Support", options=json.dumps({"delimiter": ";"}))["id"]
    run_jobs()
    url = whole(api, TABLE + b"more;rows\n", dataset=found)
    run_jobs()
    upload = api.get(url).json()
    assert upload["inspection"]["problems"] == []
    page = as_alice.get(urlsplit(upload["links"]["page"]).path).content.decode()
    assert "kept from version 1: column separator semicolon" in page
    assert "does not fit" not in page
    again = api.post(f"{url}inspect/", {"options": {"delimiter": ""}}).json()
    assert again["options"]["delimiter"] == ""
    run_jobs()
    assert "kept from version" not in as_alice.get(urlsplit(upload["links"]["page"]).path).content.decode()


def test_bad_rows_alone_do_not_blame_the_options(api: APIClient, run_jobs: Callable[..., None]) -> None:
    found = send(api, TABLE, DATASETS, name="Support", options=json.dumps({"delimiter": ";"}))["id"]
    run_jobs()
    version = send(api, TABLE + b"no answer;\n", f"{DATASETS}{found}/versions/")
    run_jobs()
    assert "kept from" not in api.get(f"{VERSIONS}{version['id']}/").json()["error"]["text"]


def test_a_dataset_chosen_only_when_it_is_confirmed_brings_no_options(
    api: APIClient, as_alice: Client, dataset: str, run_jobs: Callable[..., None]
) -> None:
    url = whole(api, rows(31))
    run_jobs()
    upload = api.get(url).json()
    page = as_alice.get(urlsplit(upload["links"]["page"]).path).content.decode()
    assert "imported as this preview shows it" in page
    version = api.post(f"{url}confirm/", {"dataset": dataset}).json()["version"]
    assert (version["dataset"], version["options"]["bad_rows"]) == (dataset, "refuse")
