"""The list of datasets, and the pages to view, edit and delete one."""

import pytest
from django.test import Client
from django.utils import timezone
from django.utils.dateformat import format as date_format
from pytest_django import DjangoAssertNumQueries
from rest_framework.test import APIClient

from adapters.models import Adapter, BaseModel, TrainingRun
from corpora.datasets.services import change_dataset
from corpora.models import Dataset, DatasetVersion, Upload, UploadState, VersionState
from jobs.models import Job
from tenants.models import Tenant
from tenants.scope import tenant_scope
from tests.corpora.stored import chat, stored_version

pytestmark = pytest.mark.django_db


def train(name: str, version: DatasetVersion) -> None:
    base_model, _ = BaseModel.objects.get_or_create(name="base", defaults={"title": "Base", "location": "base"})
    adapter, _ = Adapter.objects.get_or_create(name=name, defaults={"base_model": base_model})
    job = Job.objects.create(kind="training", title=name)
    TrainingRun.objects.create(adapter=adapter, dataset_version=version, job=job, recipe="style")


def make_datasets(name: str, count: int) -> None:
    """Datasets with three versions each, all used by adapters."""
    for number in range(count):
        dataset = Dataset.objects.create(name=f"{name} {number}")
        for _ in range(3):
            train(f"{name}-{number}", stored_version(dataset, [chat("a")]))


def test_the_list_tells_rows_versions_and_uses(as_alice: Client, in_tenant: Tenant) -> None:
    dataset = Dataset.objects.create(name="Clauses")
    version = stored_version(dataset, [chat(str(n)) for n in range(1200)], upload_bytes=3 << 20)
    stored_version(dataset, [chat("a")], [chat("b")], upload_bytes=5 << 20)
    for name in ("one", "two", "three", "four", "two"):
        train(name, version)
    page = as_alice.get("/datasets/").content.decode()
    assert "v2</a>" in page
    assert "5.0\xa0MB" in page
    assert 'data-label="Versions">2</td>' in page
    assert [name in page for name in (">two</a>", ">four</a>", ">one</a>")] == [True, True, False]
    assert "+2 more" in page
    detail = as_alice.get(f"/datasets/{dataset.id}/").content.decode()
    assert "1,200" in detail
    assert f'/datasets/versions/{version.id}/?tab=uses">5</a>' in detail


def test_lists_need_the_same_queries_for_one_and_for_many(
    as_alice: Client, tenant: Tenant, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    counts = []
    for name, count in (("one", 1), ("many", 20)):
        with tenant_scope(tenant.id):
            make_datasets(name, count)
            dataset = Dataset.objects.get(name=f"{name} 0")
        with django_assert_max_num_queries(22) as queries:
            as_alice.get("/datasets/")
            as_alice.get(f"/datasets/{dataset.id}/")
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_lists_read_neither_profiles_nor_problems(
    as_alice: Client, api: APIClient, in_tenant: Tenant, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    """These fields are large, and lists do not show them."""
    dataset = Dataset.objects.create(name="Clauses")
    version = stored_version(dataset, [chat("a")], job=Job.objects.create(kind="dataset_check"))
    Upload.objects.create(file_name="x", bytes=9, key="x", state=UploadState.DONE, version=version)
    rest = ("datasets", "dataset-versions", "uploads")
    for path in ("/datasets/", f"/datasets/{dataset.id}/", *(f"/api/v1/{name}/" for name in rest)):
        with django_assert_max_num_queries(12) as queries:
            answer = (api if "api" in path else as_alice).get(path)
        assert str(version.id) in answer.content.decode()
        asked = " ".join(query["sql"] for query in queries.captured_queries)
        assert '"corpora_datasetversion"."file_name"' in asked
        for column in ('"corpora_datasetversion"."profile"', '"corpora_datasetversion"."problems"', '"result"'):
            assert column not in asked


@pytest.mark.parametrize(("text", "found"), [("CLAU", True), ("gal", True), ("%", False), ("x", False), ("\0", True)])
def test_the_search_looks_for_a_part_of_the_name(text: str, found: bool, as_alice: Client, in_tenant: Tenant) -> None:
    Dataset.objects.create(name="Legal clauses")
    page = as_alice.get("/datasets/", {"q": text}).content.decode()
    assert ("Legal clauses" in page) == found
    assert ('class="empty"' in page) == (not found)


def test_a_search_goes_on_over_pages(as_alice: Client, in_tenant: Tenant) -> None:
    for number in range(30):
        Dataset.objects.create(name=f"Lease {number}")
    page = as_alice.get("/datasets/?q=lease").content.decode()
    assert "?q=lease&amp;page=2" in page
    assert as_alice.get("/datasets/?q=lease&page=2").content.decode().count('<th scope="row" class="name-cell">') == 5


def test_two_people_change_different_things(in_tenant: Tenant) -> None:
    dataset = Dataset.objects.create(name="Clauses", description="Old.")
    for change in ({"name": "Leases"}, {"description": "New."}):
        change_dataset(dataset=Dataset(id=dataset.id, name="Clauses", description="Old."), **change)
    dataset.refresh_from_db()
    assert (dataset.name, dataset.description) == ("Leases", "New.")


def test_a_dataset_is_renamed_and_described(as_bob: Client, in_tenant: Tenant) -> None:
    dataset = Dataset.objects.create(name="Clauses")
    Dataset.objects.create(name="Taken")
    url = f"/datasets/{dataset.id}/edit/"
    assert 'value="Clauses"' in as_bob.get(url).content.decode()
    assert "“Taken”" in as_bob.post(url, {"name": "Taken"}).context["form"].errors["name"][0]
    assert "name" in as_bob.post(url, {"name": "  "}).context["form"].errors
    response = as_bob.post(url, {"name": " Leases ", "description": "From <Berlin>"})
    assert response["Location"] == f"/datasets/{dataset.id}/"
    page = as_bob.get(f"/datasets/{dataset.id}/").content.decode()
    assert "Leases" in page
    assert "From &lt;Berlin&gt;" in page


def test_only_an_empty_dataset_is_deleted(as_bob: Client, in_tenant: Tenant) -> None:
    dataset = Dataset.objects.create(name="Clauses")
    url = f"/datasets/{dataset.id}/delete/"
    assert as_bob.get(url).status_code == 405
    version = stored_version(dataset, [chat("a")])
    refused = as_bob.post(url)
    assert (refused.status_code, "dataset:not_empty" in refused.content.decode()) == (409, True)
    version.delete()
    upload = Upload.objects.create(dataset=dataset, file_name="x", bytes=9, key="x", touched_at=timezone.now())
    assert as_bob.post(url).status_code == 409
    Upload.objects.filter(id=upload.id).update(state=UploadState.FAILED)
    page = as_bob.post(url, follow=True).content.decode()
    assert "“Clauses”" in page
    assert not Dataset.objects.exists()


def test_a_rejected_version_has_no_rows_to_count(as_alice: Client, in_tenant: Tenant) -> None:
    stored_version(Dataset.objects.create(name="Clauses"), [chat("a")], state=VersionState.REJECTED, row_count=77_123)
    assert "77,123" not in as_alice.get("/datasets/").content.decode()


def test_a_stranger_changes_nothing(as_charlie: Client, as_rita: Client, in_tenant: Tenant) -> None:
    dataset = Dataset.objects.create(name="Clauses")
    for path in ("edit", "delete"):
        assert as_charlie.post(f"/datasets/{dataset.id}/{path}/", {"name": "Mine"}).status_code == 404
        assert as_rita.post(f"/datasets/{dataset.id}/{path}/", {"name": "Mine"}).status_code == 403
    assert Dataset.objects.get().name == "Clauses"


def test_the_version_that_can_be_used_is_shown_and_a_newer_one_beside_it(
    as_alice: Client, api: APIClient, in_tenant: Tenant
) -> None:
    dataset = Dataset.objects.create(name="Clauses")
    usable = stored_version(dataset, [chat(str(n)) for n in range(1_234)])
    refused = stored_version(dataset, [], state=VersionState.REJECTED)
    (row,) = as_alice.get("/datasets/").context["rows"]
    assert (row.dataset.usable, row.dataset.latest) == (usable, refused)
    page = as_alice.get("/datasets/").content.decode()
    assert "1,234" in page
    assert page.count('data-testid="newer-version"') == 1
    assert api.get("/api/v1/datasets/").json()["results"][0]["version"]["id"] == str(refused.id)
    usable.delete()
    page = as_alice.get("/datasets/").content.decode()
    assert f"/datasets/versions/{refused.id}/" in page
    assert 'data-testid="newer-version"' not in page


def test_the_list_is_sorted_by_the_time_it_shows(as_alice: Client, in_tenant: Tenant) -> None:
    old, new, empty = (Dataset.objects.create(name=name) for name in ("Old", "New", "Empty"))
    for dataset in (new, old):
        last = stored_version(dataset, [chat("a")])
    listed = as_alice.get("/datasets/")
    assert [row.dataset for row in listed.context["rows"]] == [old, new, empty]
    assert f'datetime="{date_format(last.created_at, "c")}"' in listed.content.decode()
