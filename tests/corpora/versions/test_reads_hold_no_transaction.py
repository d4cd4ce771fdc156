"""Storage may be slow, so no transaction is open while a request reads from it."""

from typing import Any

import pytest
from django.core.files.storage import FileSystemStorage
from django.db import connection
from django.test import Client
from rest_framework.test import APIClient

from corpora.models import Dataset, DatasetVersion
from tenants.models import Tenant
from tests.corpora.stored import chat, finding, stored_version

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def version(in_tenant: Tenant) -> DatasetVersion:
    dataset = Dataset.objects.create(name="Clauses")
    stored_version(dataset, [chat("a")], [chat("b")])
    return stored_version(dataset, [chat("a")], [chat("c")], findings=[finding(1)])


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """For each opened object, whether a transaction was open."""
    seen: list[bool] = []
    real = FileSystemStorage._open  # type: ignore[attr-defined]

    def watched(self: FileSystemStorage, name: str, mode: str = "rb") -> Any:
        seen.append(connection.in_atomic_block)
        return real(self, name, mode)

    monkeypatch.setattr(FileSystemStorage, "_open", watched)
    return seen


@pytest.mark.parametrize("path", ["rows/", "rows/?q=a", "findings/", "diff/", "export/"])
def test_over_rest(path: str, api: APIClient, version: DatasetVersion, reads: list[bool]) -> None:
    assert api.get(f"/api/v1/dataset-versions/{version.id}/{path}").status_code == 200
    assert set(reads) == {False}


@pytest.mark.parametrize(
    "path", ["", "?q=a", "?tab=quality&code=all", "?tab=versions", "row/?number=1", "export/?content=findings"]
)
def test_on_pages(path: str, as_alice: Client, version: DatasetVersion, reads: list[bool]) -> None:
    assert as_alice.get(f"/datasets/versions/{version.id}/{path}").status_code == 200
    assert set(reads) == {False}
