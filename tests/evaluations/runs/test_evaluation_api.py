"""Evaluations over REST."""

from collections.abc import Callable

import pytest
from rest_framework.test import APIClient

from adapters.models import AdapterVersion
from evaluations.models import EvaluationRun
from tenants.models import Tenant

URL = "/api/v1/evaluations/"
NOWHERE = "0b9c7c1e-6f0e-4c39-9f5a-2f4a1d1f7c11"


def test_create_and_follow(api: APIClient, version: AdapterVersion) -> None:
    created = api.post(URL, {"version": str(version.id)})
    assert created.status_code == 201
    body = created.json()
    assert (body["state"], body["summary"], body["version_name"]) == ("running", {}, "boxes v1")
    assert body["job"]["state"] == "queued"
    again = api.post(URL, {"version": str(version.id)})
    assert (again.status_code, again.json()["code"]) == (409, "evaluation:already_running")
    assert again["Content-Type"] == "application/problem+json"
    assert again.json()["field"] == "version"


@pytest.mark.parametrize(("version", "status"), [("nonsense", 400), ("", 400), (None, 400), (NOWHERE, 404)])
def test_a_version_that_is_not_there(api: APIClient, version: str | None, status: int) -> None:
    answer = api.post(URL, {"version": version}, format="json")
    assert answer.status_code == status
    assert answer["Content-Type"] == "application/problem+json"


def test_figures_and_rows(api: APIClient, evaluation: EvaluationRun) -> None:
    body = api.get(f"{URL}{evaluation.id}/").json()
    assert body["summary"]["all"]["figures"]["v1"]["exact_match"] == 1.0
    assert [(model["key"], model["kind"]) for model in body["models"]] == [("base", "base"), ("v1", "version")]
    assert (body["judgings"][0]["is_llm"], body["judgings"][0]["summary"]["all"]["figures"]["v1"]) == (False, 5.0)
    page = api.get(f"{URL}{evaluation.id}/items/", {"page_size": 4}).json()
    assert [row["position"] for row in page["results"]] == [1, 2, 3, 4]
    assert [(one["model"], one["grade"]) for one in page["results"][0]["answers"]] == [("base", 1.0), ("v1", 5.0)]
    assert [row["position"] for row in api.get(page["next"]).json()["results"]] == [5, 6]
    assert [run["id"] for run in api.get(URL, {"version": str(evaluation.version_id)}).json()["results"]] == [
        str(evaluation.id)
    ]


def test_charlie_sees_nothing(other_api: APIClient, evaluation: EvaluationRun) -> None:
    assert other_api.get(URL).json()["results"] == []
    assert other_api.get(f"{URL}{evaluation.id}/").status_code == 404
    assert other_api.get(f"{URL}{evaluation.id}/items/").status_code == 404
    assert other_api.post(URL, {"version": str(evaluation.version_id)}).status_code == 404


def test_lists_have_a_query_budget(
    api: APIClient,
    tenant: Tenant,
    make_evaluation: Callable[..., EvaluationRun],
    django_assert_max_num_queries: Callable[[int], object],
) -> None:
    runs = [make_evaluation(tenant, rows=30) for _ in range(5)]
    with django_assert_max_num_queries(8):  # type: ignore[attr-defined]
        assert len(api.get(URL).json()["results"]) == 5
    with django_assert_max_num_queries(10):  # type: ignore[attr-defined]
        assert len(api.get(f"{URL}{runs[0].id}/items/").json()["results"]) == 30
