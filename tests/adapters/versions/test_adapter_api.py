"""Adapters over REST."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.storage import default_storage
from pytest_django import DjangoAssertNumQueries
from rest_framework.test import APIClient

from adapters.models import AdapterVersion, BaseModel, TrainingRun
from corpora.models import DatasetVersion, VersionState
from tenants.models import Tenant
from tenants.scope import tenant_scope

Make = Callable[..., AdapterVersion]


@pytest.fixture
def version(dataset_version: DatasetVersion, make_version: Make) -> AdapterVersion:
    return make_version(dataset_version)


@pytest.fixture
def body(dataset_version: DatasetVersion, base_model: BaseModel) -> dict[str, Any]:
    return {"adapter": "boxes", "dataset_version": str(dataset_version.id), "recipe": "structured"}


def test_a_training_is_started_and_followed(api: APIClient, body: dict[str, Any]) -> None:
    answer = api.post("/api/v1/training-runs/", body | {"overrides": {"rank": 8}})
    assert answer.status_code == 201
    run = answer.json()
    assert (run["adapter_name"], run["hyperparameters"]["rank"]) == ("boxes", 8)
    assert (run["job"]["state"], run["version"]) == ("queued", None)
    assert api.get(f"/api/v1/training-runs/{run['id']}/").json() == run


def test_a_run_names_its_version_once_there_is_one(api: APIClient, version: AdapterVersion) -> None:
    run = api.get(f"/api/v1/training-runs/{version.run_id}/").json()
    assert run["version"] == {"id": str(version.id), "number": 1}


@pytest.mark.parametrize(
    ("changes", "status", "code", "field"),
    [
        ({"overrides": {"rank": 257}}, 400, "training:bad_setting", "rank"),
        ({"overrides": {"threads": 1}}, 400, "training:unknown_setting", "threads"),
        ({"recipe": "magic"}, 400, "training:unknown_recipe", "recipe"),
        ({"adapter": "No slug"}, 400, "adapter:bad_name", "adapter"),
        ({"base_model": "gpt"}, 404, "portal:not_found", "base_model"),
        ({"dataset_version": "0b9c7c1e-6f0e-4c39-9f5a-2f4a1d1f7c11"}, 404, "portal:not_found", "dataset_version"),
    ],
)
def test_a_bad_value_is_a_problem_that_names_its_field(
    api: APIClient, body: dict[str, Any], changes: dict[str, Any], status: int, code: str, field: str
) -> None:
    answer = api.post("/api/v1/training-runs/", body | changes)
    assert answer["Content-Type"] == "application/problem+json"
    problem = answer.json()
    assert (answer.status_code, problem["code"], problem["field"]) == (status, code, field)
    assert not TrainingRun.objects.exists()


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"dataset_version": "x"}, "dataset_version"),
        ({"adapter": None}, "adapter"),
        ({"overrides": [1]}, "overrides"),
        ({"overrides": {"rank": [8]}}, "overrides.rank"),
    ],
)
def test_what_cannot_be_parsed_names_its_field(
    api: APIClient, body: dict[str, Any], changes: dict[str, Any], field: str
) -> None:
    answer = api.post("/api/v1/training-runs/", body | changes)
    assert answer.status_code == 400
    assert [error["field"] for error in answer.json()["errors"]] == [field]


def test_a_dataset_that_is_not_ready_is_a_conflict(
    api: APIClient, body: dict[str, Any], make_dataset: Callable[..., DatasetVersion]
) -> None:
    rejected = make_dataset(name="Broken", state=VersionState.REJECTED)
    answer = api.post("/api/v1/training-runs/", body | {"dataset_version": str(rejected.id)})
    assert (answer.status_code, answer.json()["code"]) == (409, "training:dataset_not_ready")
    assert "upload the file again" in answer.json()["title"]


def test_base_models_are_listed_without_their_place(api: APIClient, base_model: BaseModel) -> None:
    (row,) = api.get("/api/v1/base-models/").json()["results"]
    assert (row["name"], row["is_synthetic"]) == ("tiny-llama", True)
    assert base_model.location not in str(row)


def test_versions_are_filtered_by_adapter(
    api: APIClient, version: AdapterVersion, dataset_version: DatasetVersion, make_version: Make
) -> None:
    make_version(dataset_version, name="other")
    rows = api.get("/api/v1/adapter-versions/", {"adapter": str(version.adapter_id)}).json()["results"]
    assert [row["id"] for row in rows] == [str(version.id)]


def test_a_package_that_is_missing_from_storage_says_so(api: APIClient, version: AdapterVersion) -> None:
    default_storage.delete(version.package_key)
    answer = api.get(f"/api/v1/adapter-versions/{version.id}/package/")
    assert (answer.status_code, answer.json()["code"]) == (503, "platform:object_missing")


def test_the_package_is_downloaded(api: APIClient, version: AdapterVersion) -> None:
    answer = api.get(f"/api/v1/adapter-versions/{version.id}/package/")
    assert b"".join(answer) == b"package"
    assert answer["ETag"] == f'"{version.package_sha256}"'


@pytest.mark.parametrize("path", ["adapters", "adapter-versions", "training-runs"])
def test_lists_take_the_same_queries_for_any_number_of_rows(
    api: APIClient,
    dataset_version: DatasetVersion,
    make_version: Make,
    django_assert_max_num_queries: DjangoAssertNumQueries,
    path: str,
) -> None:
    for number in range(8):
        make_version(dataset_version, name=f"boxes-{number}")
    with django_assert_max_num_queries(8):
        assert len(api.get(f"/api/v1/{path}/").json()["results"]) == 8


def test_another_tenant_sees_and_starts_nothing(
    other_api: APIClient, other_tenant: Tenant, version: AdapterVersion, body: dict[str, Any]
) -> None:
    keys = {"adapters": version.adapter_id, "adapter-versions": version.id, "training-runs": version.run_id}
    for path, key in keys.items():
        assert other_api.get(f"/api/v1/{path}/").json()["results"] == []
        assert other_api.get(f"/api/v1/{path}/{key}/").status_code == 404
    assert other_api.get(f"/api/v1/adapter-versions/{version.id}/package/").status_code == 404
    assert other_api.post("/api/v1/training-runs/", body).status_code == 404
    with tenant_scope(other_tenant.id):
        assert not TrainingRun.objects.exists()


def test_a_filter_by_a_foreign_adapter_finds_nothing(other_api: APIClient, version: AdapterVersion) -> None:
    answer = other_api.get("/api/v1/adapter-versions/", {"adapter": str(version.adapter_id)})
    assert (answer.status_code, answer.json()["results"]) == (200, [])
