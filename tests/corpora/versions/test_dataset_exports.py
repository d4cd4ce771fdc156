"""Downloads of rows and findings: exact, safe in a spreadsheet, streamed."""

import csv
import io
import json
from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from corpora.models import Dataset, DatasetVersion
from corpora.versions.exports import export_response, safe_cell
from tenants.models import Tenant
from tenants.scope import tenant_scope
from tests.corpora.stored import chat, everything, finding, stored_version

pytestmark = pytest.mark.django_db

Checked = Callable[..., DatasetVersion]


@pytest.fixture
def dataset(in_tenant: Tenant) -> Dataset:
    return Dataset.objects.create(name="Clauses")


def body(response: Any) -> bytes:
    return b"".join(response.streaming_content)


def exported(version: DatasetVersion, content: Any, file_type: Any) -> bytes:
    return body(export_response(version, content=content, file_type=file_type))


def table(data: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline="")))


def test_rows_as_jsonl_hold_everything(dataset: Dataset) -> None:
    version = stored_version(dataset, [chat("é\n“q”", "a", label="x")], [chat("held out", group="rent")], lines=[4, 9])
    first, second = (json.loads(line) for line in exported(version, "rows", "jsonl").splitlines())
    assert (first["row"], first["line"], first["split"], first["label"]) == (1, 4, "train", "x")
    assert first["messages"][0] == {"role": "user", "content": "é\n“q”"}
    assert (second["row"], second["line"], second["split"], second["slice"]) == (2, 9, "test", "rent")


def test_exported_rows_uploaded_again_are_the_same_version(checked: Checked) -> None:
    chats = [
        {"messages": [{"role": "system", "content": "Be brief"}, {"role": "user", "content": f"q{i}"},
                      {"role": "assistant", "content": "a"}], "slice": f"s{i % 3}", "label": "x" if i % 2 else None}
        for i in range(40)
    ]  # fmt: skip
    first = checked(b"".join(json.dumps(row).encode() + b"\n" for row in chats))
    again = checked(exported(first, "rows", "jsonl"), name="Again")
    assert [(r.split, r.row) for r in everything(again)] == [(r.split, r.row) for r in everything(first)]
    assert again.rows_sha256 == first.rows_sha256


def test_rows_as_csv_are_a_line_each_with_several_turns_in_one_cell(dataset: Dataset) -> None:
    long = chat("x")
    long["messages"] = [
        {"role": "system", "content": "Be brief"},
        {"role": "user", "content": "one"},
        {"role": "assistant", "content": "two"},
        {"role": "user", "content": "three"},
        {"role": "assistant", "content": "four, “five”"},
    ]
    data = exported(stored_version(dataset, [chat("q\r\nr", "a", label="x"), long]), "rows", "csv")
    assert data.startswith(b"\xef\xbb\xbf")
    header, first, second = table(data)
    assert header == ["row", "line", "id", "split", "slice", "label", "system", "prompt", "completion"]
    assert first[5:] == ["x", "", "q\r\nr", "a"]
    assert second[6:] == ["Be brief", "User: one\n\nAssistant: two\n\nUser: three", "four, “five”"]


FORMULAS = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "  =1", "\u00a0=1", "\ufeff=1", "＝1", "\tplain"]


@pytest.mark.parametrize("text", FORMULAS)
def test_no_cell_is_a_formula(text: str, dataset: Dataset) -> None:
    version = stored_version(dataset, [chat(text, text, label=text)], findings=[finding(1, text=text)])
    row, found = table(exported(version, "rows", "csv"))[1], table(exported(version, "findings", "csv"))[1]
    assert [row[5], row[7], row[8], found[3]] == [f"'{text}"] * 4
    assert json.loads(exported(version, "rows", "jsonl"))["messages"][0]["content"] == text


@pytest.mark.parametrize("text", ["plain", "1 - 2", "a=b", "", "'=1", "e-mail@example.com", "—"])
def test_other_cells_are_left_as_they_are(text: str) -> None:
    assert safe_cell(text) == text


def test_findings_come_as_they_were_found(dataset: Dataset) -> None:
    found = [finding(2), finding(7, "dataset:duplicate_row", text="Twice", kept=True)]
    version = stored_version(dataset, [chat("a")], findings=found)
    assert [json.loads(line) for line in exported(version, "findings", "jsonl").splitlines()] == found
    header, *rows = table(exported(version, "findings", "csv"))
    assert header == ["line", "field", "code", "text", "kept"]
    assert [(row[0], row[4]) for row in rows] == [("2", "no"), ("7", "yes")]


@pytest.mark.parametrize(
    ("name", "header"),
    [
        ("Clauses", 'attachment; filename="Clauses v1 rows.csv"'),
        ("Verträge", "attachment; filename*=utf-8''Vertr%C3%A4ge%20v1%20rows.csv"),
        ('a/b\\c"d', 'attachment; filename="a b c d v1 rows.csv"'),
        ("evil\r\nSet-Cookie: a=b", 'attachment; filename="evil  Set-Cookie  a=b v1 rows.csv"'),
        ("/", 'attachment; filename="dataset v1 rows.csv"'),
    ],
)
def test_the_file_is_called_after_the_dataset(name: str, header: str, in_tenant: Tenant) -> None:
    version = stored_version(Dataset.objects.create(name=name), [chat("a")])
    assert export_response(version, content="rows", file_type="csv")["Content-Disposition"] == header


def test_streaming_asks_the_database_nothing(tenant: Tenant) -> None:
    """While the file streams, the request's tenant is no longer active."""
    with tenant_scope(tenant.id):
        dataset = Dataset.objects.create(name="Clauses")
        stored_version(dataset, [chat(f"{number} {'x' * 500}") for number in range(1000)])
        version = DatasetVersion.objects.select_related("dataset").get()
        response = export_response(version, content="rows", file_type="jsonl")
    with CaptureQueriesContext(
        connection,
    ) as queries:
        data = body(response)
    assert len(queries) == 0
    assert data.count(b"\n") == 1000


def test_a_download_begins_before_all_is_read(dataset: Dataset) -> None:
    version = stored_version(dataset, [chat(f"{number} {'x' * 5000}") for number in range(400)])
    response = export_response(version, content="rows", file_type="csv")
    pieces: Any = response.streaming_content
    assert len(next(pieces)) < 200_000
    assert len(list(pieces)) > 10


def test_the_page_and_the_address_give_the_same_file(as_bob: Client, api: Client, dataset: Dataset) -> None:
    version = stored_version(dataset, [chat("a")], findings=[finding(1)])
    for content in ("rows", "findings"):
        for file_type, media_type in (("jsonl", "application/x-ndjson"), ("csv", "text/csv; charset=utf-8")):
            query = {"content": content, "file_type": file_type}
            page = as_bob.get(f"/datasets/versions/{version.id}/export/", query)
            rest = api.get(f"/api/v1/dataset-versions/{version.id}/export/", query)
            assert page["Content-Type"] == rest["Content-Type"] == media_type
            assert body(page) == body(rest) == exported(version, content, file_type)


def test_a_lost_file_is_told_before_the_download_begins(as_bob: Client, api: Client, dataset: Dataset) -> None:
    version = stored_version(dataset, [chat("a")])
    default_storage.delete(version.train_key)
    page = as_bob.get(f"/datasets/versions/{version.id}/export/")
    assert (page.status_code, "platform:object_missing" in page.content.decode()) == (503, True)
    rest = api.get(f"/api/v1/dataset-versions/{version.id}/export/")
    assert (rest.status_code, rest.json()["code"]) == (503, "platform:object_missing")


def test_another_tenants_rows_are_not_there(as_charlie: Client, other_api: Client, dataset: Dataset) -> None:
    version = stored_version(dataset, [chat("a")])
    assert as_charlie.get(f"/datasets/versions/{version.id}/export/").status_code == 404
    assert other_api.get(f"/api/v1/dataset-versions/{version.id}/export/").status_code == 404
