"""Downloads the rows of a file that are not in a version, as they stand in it."""

import gzip
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from rest_framework.test import APIClient

from corpora.models import Dataset, DatasetVersion
from corpora.versions import left_out
from corpora.versions.exports import export_response
from tenants.models import Tenant
from tests.corpora.conftest import jsonl, pairs
from tests.corpora.stored import _store, chat, finding, stored_version

pytestmark = pytest.mark.django_db

BAD = [b'{"prompt": "no \xc3\xa9 answer"}\n', b"{broken\r\n"]


def left_out_of(version: DatasetVersion) -> bytes:
    return b"".join(export_response(version, content="left_out", file_type="jsonl").streaming_content)  # type: ignore[arg-type]


@pytest.fixture
def stored(in_tenant: Tenant) -> Callable[..., DatasetVersion]:
    """A version of a file, where the rows that begin in these lines were left out."""

    def make(content: bytes, lines: list[int], file_format: str = "jsonl", **profile: Any) -> DatasetVersion:
        found = [*(finding(line) for line in lines), finding(1, "dataset:personal_email", kept=True), finding(0)]
        return stored_version(
            Dataset.objects.create(name=f"Clauses {Dataset.objects.count()}"),
            [chat("a")],
            findings=found,
            upload_key=_store(f"{Dataset.objects.count():032x}", "upload", content),
            file_format=file_format,
            profile={"position": "line", "warnings": [], **profile},
        )

    return make


def test_lines_come_as_they_stand(stored: Callable[..., DatasetVersion]) -> None:
    content = b"\xef\xbb\xbf" + pairs(3) + BAD[0] + pairs(2) + BAD[1] + BAD[0].rstrip()
    assert left_out_of(stored(content, [4, 7, 8])) == BAD[0] + BAD[1] + BAD[0]


def test_rows_of_a_table_come_behind_its_first_line(stored: Callable[..., DatasetVersion]) -> None:
    content = b'\nprompt;completion\r\nq;"a\nb"\r\n"only\nprompt";\r\n\r\nlast;\xff'
    version = stored(content, [5, 8], "csv", delimiter=";")
    assert left_out_of(version) == b'prompt;completion\r\n"only\nprompt";\r\nlast;\xff\n'


def test_a_table_is_copied_up_to_where_rows_are_no_longer_certain(stored: Callable[..., DatasetVersion]) -> None:
    assert left_out_of(stored(b'prompt,completion\nq,\nr,"a\ns,\n', [2, 4], "csv")) == b"prompt,completion\nq,\n"


@pytest.mark.parametrize("block", [1, 7, 1 << 20])
def test_lines_over_the_limit_are_skipped(
    block: int, stored: Callable[..., DatasetVersion], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(left_out, "CHUNK_BYTES", block)
    monkeypatch.setattr(left_out, "MAX_ROW_BYTES", 40 if block < 40 else 1 << 21)
    content = pairs(1)[:30] + b"\n" + b"x" * 999 + b"\n" + BAD[0]
    expected = BAD[0] if block < 40 else b"x" * 999 + b"\n" + BAD[0]
    assert left_out_of(stored(content, [2, 3])) == expected


@pytest.mark.parametrize(
    "content", [gzip.compress(pairs(3)), pairs(3).decode().encode("utf-16"), b"\0\0"], ids=["gzip", "UTF-16", "NUL"]
)
def test_other_files_are_refused_with_the_reason(
    content: bytes, stored: Callable[..., DatasetVersion], as_alice: Client, api: APIClient
) -> None:
    version = stored(content, [1])
    page = as_alice.get(f"/datasets/versions/{version.id}/export/?content=left_out")
    assert (page.status_code, "dataset:not_plain_text" in page.content.decode()) == (409, True)
    answer = api.get(f"/api/v1/dataset-versions/{version.id}/export/?content=left_out")
    assert (answer.status_code, answer.json()["code"]) == (409, "dataset:not_plain_text")
    assert "content=left_out" not in as_alice.get(f"/datasets/versions/{version.id}/?tab=quality").content.decode()


@pytest.mark.slow
def test_the_rows_a_check_left_out_are_offered(
    as_alice: Client, api: APIClient, checked: Callable[..., DatasetVersion]
) -> None:
    good = [{"prompt": f"q{n}", "completion": "a"} for n in range(9)]
    version = checked(jsonl(*good) + BAD[0] + BAD[1] + jsonl(good[0]))
    page = as_alice.get(f"/datasets/versions/{version.id}/?tab=quality").content.decode()
    assert "content=left_out" in page
    response = api.get(f"/api/v1/dataset-versions/{version.id}/export/?content=left_out")
    assert response["Content-Type"] == "application/x-ndjson"
    assert "left out.jsonl" in response["Content-Disposition"]
    assert b"".join(response.streaming_content) == BAD[0] + BAD[1] + jsonl(good[0])  # type: ignore[attr-defined]
