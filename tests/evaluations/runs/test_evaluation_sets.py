"""Evaluation sets: all their rows are asked, and none is trained on."""

from collections.abc import Callable
from uuid import uuid4

import pytest
from django.core.files.storage import default_storage
from django.test import Client
from django.urls import reverse
from rest_framework.test import APIClient

from adapters.models import AdapterVersion
from adapters.training.services import start_training
from corpora.models import Dataset, DatasetVersion, VersionState
from evaluations.runs.services import start_evaluation
from evaluations.runs.stages.held_out import held_out_rows
from evaluations.runs.stages.rows import store_rows
from rest.errors import Conflict
from storage.objects import object_key
from tenants.models import Tenant
from tests.evaluations.conftest import lines, row


def files(tenant: Tenant, first: int, last: int) -> str:
    key = object_key(tenant.id, "tests", f"{uuid4().hex}.jsonl")
    return default_storage.save(key, lines(row(n) for n in range(first, last + 1)))


@pytest.fixture
def dataset_version(in_tenant: Tenant) -> DatasetVersion:
    """Three rows to train on and two held out."""
    dataset = Dataset.objects.create(tenant=in_tenant, name="Held-out May")
    made: DatasetVersion = DatasetVersion.objects.create(
        dataset=dataset, number=1, state=VersionState.READY, file_name="may.jsonl", upload_bytes=1, row_count=5,
        train_count=3, test_count=2, train_key=files(in_tenant, 101, 103), test_key=files(in_tenant, 104, 105),
    )  # fmt: skip
    return made


@pytest.fixture
def url(dataset_version: DatasetVersion) -> str:
    return f"/api/v1/dataset-versions/{dataset_version.id}/"


def test_all_rows_of_a_set_are_asked(
    api: APIClient, in_tenant: Tenant, version: AdapterVersion, dataset_version: DatasetVersion, url: str
) -> None:
    assert len(held_out_rows(dataset_version)) == 2
    assert api.put(f"{url}evaluation-set/").json()["is_evaluation_set"] is True
    body = {"version": str(version.id), "dataset_version": str(dataset_version.id), "rows": 4}
    created = api.post("/api/v1/evaluations/", body, format="json")
    assert (created.status_code, created.json()["dataset_version"]) == (201, str(dataset_version.id))
    run = version.evaluations.get()
    store_rows(run)
    assert [item.reference for item in run.items.all()] == [f"SHELF {n % 7} row {n}" for n in range(101, 105)]


def test_a_set_cannot_be_trained_on(
    api: APIClient,
    as_alice: Client,
    in_tenant: Tenant,
    version: AdapterVersion,
    dataset_version: DatasetVersion,
    url: str,
) -> None:
    def train() -> None:
        start_training(
            tenant=in_tenant, adapter_name="other", dataset_version=DatasetVersion.objects.get(id=dataset_version.id),
            base_model=None, recipe="style", overrides={},
        )  # fmt: skip

    form = reverse("adapters:train")
    assert "Held-out May v1" in as_alice.get(form).content.decode()
    api.put(f"{url}evaluation-set/")
    assert "Held-out May v1" not in as_alice.get(form).content.decode()
    with pytest.raises(Conflict, match="kept for evaluation") as refusal:
        train()
    assert refusal.value.code == "training:evaluation_set"
    assert api.delete(f"{url}evaluation-set/").json()["is_evaluation_set"] is False
    train()


def test_rows_that_were_trained_on_make_no_set(api: APIClient, version: AdapterVersion) -> None:
    refused = api.put(f"/api/v1/dataset-versions/{version.run.dataset_version_id}/evaluation-set/")
    assert (refused.status_code, refused.json()["code"]) == (409, "dataset:trained_on")


def test_a_version_that_is_not_ready_makes_no_set(api: APIClient, dataset_version: DatasetVersion, url: str) -> None:
    DatasetVersion.objects.update(state=VersionState.REJECTED)
    refused = api.put(f"{url}evaluation-set/")
    assert (refused.status_code, refused.json()["code"]) == (409, "dataset:not_ready")


def test_its_page_marks_it_and_takes_the_mark_back(as_alice: Client, dataset_version: DatasetVersion) -> None:
    page = reverse("corpora:version", args=[dataset_version.id])
    mark = reverse("corpora:evaluation-set", args=[dataset_version.id])
    assert "Keep for evaluation" in as_alice.get(page).content.decode()
    assert "Evaluation set" in as_alice.post(mark, {"marked": "1"}, follow=True).content.decode()
    assert "Keep for evaluation" in as_alice.post(mark, {"marked": "0"}, follow=True).content.decode()


def test_others_cannot_mark_it(
    as_charlie: Client, as_rita: Client, other_api: APIClient, dataset_version: DatasetVersion, url: str
) -> None:
    assert other_api.put(f"{url}evaluation-set/").status_code == 404
    mark = reverse("corpora:evaluation-set", args=[dataset_version.id])
    assert as_charlie.post(mark, {"marked": "1"}).status_code == 404
    assert as_rita.post(mark, {"marked": "1"}).status_code == 403


def test_an_evaluation_of_no_rows_says_what_to_choose(
    in_tenant: Tenant, make_version: Callable[..., AdapterVersion], dataset_version: DatasetVersion
) -> None:
    version = make_version(rows=0)
    with pytest.raises(Conflict, match="Choose an evaluation set"):
        start_evaluation(tenant=in_tenant, version=version)
    assert start_evaluation(tenant=in_tenant, version=version, dataset_version=dataset_version).rows_wanted == 1000
