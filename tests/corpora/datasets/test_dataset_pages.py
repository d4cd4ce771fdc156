"""The pages of datasets: uploads without JavaScript, versions, and access."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from pytest_django import DjangoAssertNumQueries, Settings

from corpora.models import Dataset, DatasetVersion, VersionState
from tenants.models import Tenant
from tenants.scope import tenant_scope
from tests.corpora.conftest import jsonl, pairs

pytestmark = pytest.mark.django_db

Checked = Callable[..., DatasetVersion]


def send(client: Client, content: bytes, *, name: str = "rows.jsonl", **fields: Any) -> Any:
    return client.post("/datasets/upload/", {"file": SimpleUploadedFile(name, content), **fields})


def test_a_newcomer_is_told_what_to_do(as_alice: Client) -> None:
    page = as_alice.get("/datasets/").content.decode()
    assert 'class="empty"' in page
    assert "/datasets/upload/" in page


def test_an_upload_leads_to_its_version_and_ends_ready(
    as_bob: Client, tenant: Tenant, run_jobs: Callable[..., None]
) -> None:
    response = send(as_bob, pairs(40), name="house_style.jsonl")
    with tenant_scope(tenant.id):
        version = DatasetVersion.objects.get()
        assert version.dataset.name == "house style"
    url = f"/datasets/versions/{version.id}/"
    assert response.headers["Location"] == url
    checking = as_bob.get(url)
    assert f'hx-get="{url}live/"' in checking.content.decode()
    assert checking.context["place"] == 1
    assert as_bob.get(f"{url}live/").status_code == 200
    run_jobs()
    live = as_bob.get(f"{url}live/")
    assert (live.status_code, live.headers["HX-Refresh"]) == (200, "true")
    ready = as_bob.get(url).content.decode()
    assert f"/adapters/train/?dataset={version.id}" in ready
    assert "question 0" in ready
    assert "data-live" not in ready
    assert 'id="prompt-characters-title"' in as_bob.get(f"{url}?tab=profile").content.decode()
    assert 'class="empty"' in as_bob.get(f"{url}?tab=quality").content.decode()


def test_a_rejected_file_shows_its_problems_and_the_way_on(as_alice: Client, checked: Checked) -> None:
    version = checked(pairs(2) + jsonl({"prompt": "<script>alert(1)</script>"}))
    page = as_alice.get(f"/datasets/versions/{version.id}/").content.decode()
    assert "Line 3, completion" in page
    assert "dataset:missing_field" in page
    assert f"/datasets/upload/?dataset={version.dataset_id}" in page
    assert "/adapters/train/" not in page


def test_customers_text_is_escaped(as_alice: Client, checked: Checked) -> None:
    hostile = "<img src=x onerror=alert(1)>"
    version = checked(jsonl(*({"prompt": f"{hostile}{i}", "completion": "a", "label": hostile} for i in range(3))))
    for tab in ("preview", "quality", "profile", "versions", "uses"):
        assert "<img src=x" not in as_alice.get(f"/datasets/versions/{version.id}/?tab={tab}").content.decode()


BAD_UPLOADS = {
    "an empty file": (b"", "is empty"),
    "a file over the limit": (pairs(100), "is larger than"),
}


@pytest.mark.parametrize("name", BAD_UPLOADS)
def test_a_bad_upload_is_told_on_the_form(name: str, as_alice: Client, tenant: Tenant, settings: Settings) -> None:
    settings.MAX_UPLOAD_BYTES = 1000
    content, text = BAD_UPLOADS[name]
    response = send(as_alice, content, name="rows.jsonl")
    assert response.status_code == 200
    assert text in response.context["form"].errors["file"][0]
    with tenant_scope(tenant.id):
        assert not Dataset.objects.exists()


def test_the_form_asks_for_a_file(as_alice: Client) -> None:
    page = as_alice.post("/datasets/upload/", {"name": "Clauses"})
    assert "file" in page.context["form"].errors


def test_the_same_file_again_is_told_on_the_form(as_alice: Client, tenant: Tenant) -> None:
    send(as_alice, pairs(3))
    page = send(as_alice, pairs(3))
    assert "version 1 of “rows”" in page.context["form"].errors["file"][0]
    with tenant_scope(tenant.id):
        assert DatasetVersion.objects.count() == 1


def test_a_file_for_a_dataset_becomes_its_next_version(as_alice: Client, tenant: Tenant) -> None:
    send(as_alice, pairs(3))
    with tenant_scope(tenant.id):
        dataset = Dataset.objects.get()
    assert f'value="{dataset.id}" selected' in as_alice.get(f"/datasets/upload/?dataset={dataset.id}").content.decode()
    send(as_alice, pairs(4), dataset=str(dataset.id))
    page = as_alice.get(f"/datasets/{dataset.id}/").content.decode()
    assert page.index("v2</a>") < page.index("v1</a>")


def test_another_tenant_sees_nothing(as_charlie: Client, checked: Checked, other_tenant: Tenant) -> None:
    version = checked(pairs(5))
    for path in (f"{version.dataset_id}/", f"versions/{version.id}/", f"versions/{version.id}/live/"):
        response = as_charlie.get(f"/datasets/{path}")
        assert response.status_code == 404
        assert "Clauses" not in response.content.decode()
    assert "Clauses" not in as_charlie.get("/datasets/").content.decode()
    assert "Clauses" not in as_charlie.get(f"/datasets/upload/?dataset={version.dataset_id}").content.decode()
    page = send(as_charlie, pairs(9), dataset=str(version.dataset_id)).content.decode()
    assert "not one of the available choices" in page
    with tenant_scope(other_tenant.id):
        assert not Dataset.objects.exists()


def test_a_reviewer_may_not_open_them(as_rita: Client) -> None:
    assert as_rita.get("/datasets/").status_code == 403
    assert send(as_rita, pairs(3)).status_code == 403


def test_lists_need_a_fixed_number_of_queries(
    as_alice: Client, tenant: Tenant, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    with tenant_scope(tenant.id):
        for number in range(20):
            dataset = Dataset.objects.create(tenant=tenant, name=f"Dataset {number}")
            for version in (1, 2):
                DatasetVersion.objects.create(
                    tenant=tenant,
                    dataset=dataset,
                    number=version,
                    state=VersionState.READY,
                    upload_sha256=f"{version:064}",
                    upload_bytes=1,
                )
    with django_assert_max_num_queries(12):
        page = as_alice.get("/datasets/").content.decode()
    assert page.count("v2</a>") == 20
    assert "v1</a>" not in page
    with django_assert_max_num_queries(12):
        as_alice.get(f"/datasets/{dataset.id}/")
