"""The upload form offers the datasets with the latest uploads, and takes any of the tenant's."""

import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from corpora.models import Dataset, DatasetVersion
from tenants.models import Tenant

pytestmark = pytest.mark.django_db
URL = "/datasets/upload/"


@pytest.fixture
def three(in_tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> list[Dataset]:
    monkeypatch.setattr("corpora.uploads.dataset_field.OFFERED", 2)
    return [Dataset.objects.create(name=name) for name in ("Oldest", "news", "Clauses")]


def offered(client: Client, **query: str) -> list[str]:
    page = client.get(URL, query).content.decode()
    options = re.findall(r'<option value="[^"]+"( selected)?>([^<]+)</option>', page)
    return [f"{name}*" if selected else name for selected, name in options]


def test_those_used_last_are_offered_by_name(as_alice: Client, three: list[Dataset]) -> None:
    assert offered(as_alice) == ["Clauses", "news"]
    assert "For another one, start from its page." in as_alice.get(URL).content.decode()


def test_one_from_whose_page_a_person_came_is_chosen(as_alice: Client, three: list[Dataset]) -> None:
    assert offered(as_alice, dataset=str(three[0].id)) == ["Clauses", "news", "Oldest*"]


def test_any_of_ones_own_is_taken_and_nobody_elses(
    as_alice: Client, as_charlie: Client, three: list[Dataset], in_tenant: Tenant
) -> None:
    for client, status in ((as_charlie, 200), (as_alice, 302)):
        file = SimpleUploadedFile("rows.jsonl", b'{"prompt": "a", "completion": "b"}\n')
        assert client.post(URL, {"file": file, "dataset": str(three[0].id)}).status_code == status
    assert DatasetVersion.objects.get().dataset == three[0]
    assert "Oldest" not in as_charlie.post(URL, {"dataset": str(three[0].id)}).content.decode()
