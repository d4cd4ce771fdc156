"""Promotions, routes, deployments and endpoints over REST."""

from collections.abc import Callable
from uuid import uuid4

import pytest
from rest_framework.test import APIClient

from adapters.models import AdapterVersion
from tenants.models import Tenant
from tests.serving.memory_endpoint import MemoryEndpoint

pytestmark = pytest.mark.django_db
MakeVersion = Callable[..., AdapterVersion]
PROMOTIONS = "/api/v1/promotions/"


@pytest.fixture(autouse=True)
def nobody_to_ask(memory: MemoryEndpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("serving.endpoints.loading.known_answers", lambda version, limit: [])


def test_promote_and_roll_back(
    api: APIClient, tenant: Tenant, make_version: MakeVersion, run_jobs: Callable[..., None]
) -> None:
    first, second = make_version(tenant, "legal", 1), make_version(tenant, "legal", 2)
    for version in (first, second):
        answer = api.post(PROMOTIONS, {"version": str(version.id)})
        assert answer.status_code == 201
        assert answer.json()["state"] == "queued"
        run_jobs()
        assert api.get(f"{PROMOTIONS}{answer.json()['id']}/").json()["state"] == "succeeded"
    [route] = api.get("/api/v1/routes/").json()["results"]
    assert (route["alias"], route["version"], route["previous_version"]) == ("legal", str(second.id), str(first.id))
    answer = api.post(f"/api/v1/routes/{route['id']}/roll-back/")
    assert answer.status_code == 201
    assert (answer.json()["is_rollback"], answer.json()["state"], answer.json()["job"]) == (True, "succeeded", None)
    assert api.get(f"/api/v1/routes/{route['id']}/").json()["version"] == str(first.id)
    states = {row["version"]: row["state"] for row in api.get("/api/v1/deployments/").json()["results"]}
    assert states == {str(first.id): "in_service", str(second.id): "draining"}
    assert [row["base_model"] for row in api.get("/api/v1/endpoints/").json()["results"]] == ["tiny-llama"]


def test_a_version_without_evaluation_is_a_problem(api: APIClient, tenant: Tenant, make_version: MakeVersion) -> None:
    version = make_version(tenant, "legal", 1, answers=None)
    answer = api.post(PROMOTIONS, {"version": str(version.id)})
    assert answer.status_code == 409
    assert answer["content-type"] == "application/problem+json"
    assert answer.json()["code"] == "promotion:not_evaluated"
    assert "not been evaluated" in answer.json()["title"]


@pytest.mark.parametrize("body", [{}, {"version": "x"}, {"version": None}])
def test_a_wrong_body_names_the_field(api: APIClient, body: dict[str, object]) -> None:
    answer = api.post(PROMOTIONS, body)
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == "version"


def test_an_unknown_version_is_not_found(api: APIClient, endpoint: object) -> None:
    answer = api.post(PROMOTIONS, {"version": str(uuid4())})
    assert answer.status_code == 404
    assert answer.json()["field"] == "version"


def test_charlie_finds_nothing(
    api: APIClient, other_api: APIClient, tenant: Tenant, make_version: MakeVersion, run_jobs: Callable[..., None]
) -> None:
    version = make_version(tenant, "legal", 1)
    assert other_api.post(PROMOTIONS, {"version": str(version.id)}).status_code == 404
    promotion = api.post(PROMOTIONS, {"version": str(version.id)}).json()
    run_jobs()
    route = api.get("/api/v1/routes/").json()["results"][0]
    deployment = api.get("/api/v1/deployments/").json()["results"][0]
    for path in (
        f"{PROMOTIONS}{promotion['id']}/",
        f"/api/v1/routes/{route['id']}/",
        f"/api/v1/deployments/{deployment['id']}/",
    ):
        assert other_api.get(path).status_code == 404
    assert other_api.post(f"/api/v1/routes/{route['id']}/roll-back/").status_code == 404
    for name in ("promotions", "routes", "deployments"):
        assert other_api.get(f"/api/v1/{name}/").json()["results"] == []


@pytest.mark.parametrize("name", ["promotions", "routes", "deployments", "endpoints"])
def test_lists_keep_to_a_few_queries(
    api: APIClient,
    tenant: Tenant,
    make_version: MakeVersion,
    run_jobs: Callable[..., None],
    django_assert_max_num_queries: Callable[..., object],
    name: str,
) -> None:
    for seed in range(1, 5):
        api.post(PROMOTIONS, {"version": str(make_version(tenant, f"adapter-{seed}", seed).id)})
    run_jobs()
    with django_assert_max_num_queries(6):  # type: ignore[attr-defined]
        assert api.get(f"/api/v1/{name}/").status_code == 200
