"""A client that hangs up in the middle of a form: no error, no answer, nothing left."""

import logging
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from rest_framework.test import APIClient

from corpora.models import Dataset
from tenants.models import Tenant

pytestmark = pytest.mark.django_db

FORM = "multipart/form-data; boundary=edge"
HEAD = (
    b'--edge\r\nContent-Disposition: form-data; name="name"\r\n\r\nBroken\r\n'
    b'--edge\r\nContent-Disposition: form-data; name="file"; filename="rows.jsonl"\r\n\r\n'
)


class HangsUp:
    """A body of which only some bytes come."""

    def __init__(self, left: bytes) -> None:
        self.left = left

    def read(self, size: int = -1, /) -> bytes:
        data, self.left = self.left[:size], self.left[size:]
        if not data:
            raise ConnectionResetError("the client is gone")
        return data

    readline = read


def send(client: Client, path: str, size: int) -> Any:
    broken = HangsUp(HEAD + b"x" * size)
    return client.generic(
        "POST", path, b"", FORM, **{"wsgi.input": broken, "CONTENT_LENGTH": str(8 << 20)}  # type: ignore[arg-type]
    )  # fmt: skip


@pytest.fixture
def temporary(tmp_path: Path, settings: Any) -> Path:
    settings.FILE_UPLOAD_TEMP_DIR = str(tmp_path)
    return tmp_path


@pytest.mark.parametrize("size", [10, 3 << 20])
def test_it_is_no_error_and_leaves_nothing(
    api: APIClient, in_tenant: Tenant, temporary: Path, caplog: pytest.LogCaptureFixture, size: int
) -> None:
    with caplog.at_level(logging.INFO):
        answer = send(api, "/api/v1/datasets/", size)
    assert (answer.status_code, answer.content) == (499, b"")
    assert [record for record in caplog.records if record.levelno > logging.INFO] == []
    assert any("client_hung_up" in record.getMessage() for record in caplog.records)
    assert list(temporary.iterdir()) == []
    assert not Dataset.objects.exists()


def test_an_error_of_ours_is_still_one(api: APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(**fields: Any) -> None:
        raise OSError("the disk is on fire")

    monkeypatch.setattr("corpora.datasets.api.upload_version", fail)
    api.raise_request_exception = False
    body = {"name": "x", "file": SimpleUploadedFile("rows.jsonl", b"{}")}
    assert api.post("/api/v1/datasets/", body, format="multipart").status_code == 500
