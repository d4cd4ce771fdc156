"""Routers over REST."""

from typing import Any

import pytest
from django.test import Client
from rest_framework.test import APIClient

from tenants.models import Tenant

pytestmark = pytest.mark.django_db
ROUTERS = "/api/v1/routers/"
BODY: dict[str, Any] = {
    "rules": [
        {"kind": "keyword", "texts": ["refund"], "target": "billing"},
        {"kind": "pattern", "texts": [r"\d{6}"], "target": "legal"},
    ],
    "default": "tiny-llama",
}


def test_add_try_replace_and_delete(api: APIClient, desk: Tenant) -> None:
    made = api.post(ROUTERS, {"name": "desk", **BODY}, format="json")
    assert made.status_code == 201
    router = made.json()
    assert [rule["target"] for rule in router["rules"]] == ["billing", "legal"]
    url = f"{ROUTERS}{router['id']}/"
    tried = api.post(f"{url}try/", {"prompts": ["A refund", "No 123456", "Hello"]}, format="json").json()
    first, second = (rule["id"] for rule in router["rules"])
    assert [(one["target"], one["by"], one["rule"], one["rule_id"]) for one in tried] == [
        ("billing", "rule", 1, first),
        ("legal", "rule", 2, second),
        ("tiny-llama", "default", None, ""),
    ]
    changed = {**BODY, "rules": router["rules"][::-1], "default": "", "revision": 1}
    assert api.put(url, changed, format="json").json()["revision"] == 2
    again = api.put(url, changed, format="json")
    assert (again.status_code, again.json()["code"]) == (409, "router:changed")
    [seen] = api.get(ROUTERS).json()["results"]
    assert [rule["id"] for rule in seen["rules"]] == [second, first]
    assert (seen["default"], seen["learning"]) == ("", None)
    assert api.delete(url).status_code == 204
    assert api.get(url).status_code == 404


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"rules": [{"kind": "keyword", "texts": [], "target": "billing"}]}, "rules.0.texts"),
        ({"rules": [{"kind": "guess", "texts": ["a"], "target": "billing"}]}, "rules.0.kind"),
        ({"rules": [{"kind": "keyword", "texts": ["a"]}]}, "rules.0.target"),
        ({"rules": "all"}, "rules"),
        ({"floor": "high"}, "floor"),
        ({"targets": [{"description": "x"}]}, "targets.0.name"),
    ],
)
def test_a_wrong_body_names_the_field(api: APIClient, desk: Tenant, body: dict[str, Any], field: str) -> None:
    answer = api.post(ROUTERS, {"name": "desk", **body}, format="json")
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == field


def test_a_bad_pattern_is_a_problem_at_its_rule(api: APIClient, desk: Tenant) -> None:
    rules = [BODY["rules"][0], {"kind": "pattern", "texts": ["(a"], "target": "legal"}]
    answer = api.post(ROUTERS, {"name": "desk", "rules": rules}, format="json")
    problem = answer.json()
    assert (answer.status_code, problem["code"], problem["field"]) == (400, "router:bad_rule", "rules.1")
    assert "position 0" in problem["title"]


@pytest.mark.parametrize("prompts", [[], ["x"] * 51, ["x" * 16_001], "hello"])
def test_prompts_have_limits(api: APIClient, desk: Tenant, prompts: Any) -> None:
    router = api.post(ROUTERS, {"name": "desk", **BODY}, format="json").json()
    assert api.post(f"{ROUTERS}{router['id']}/try/", {"prompts": prompts}, format="json").status_code == 400


def test_charlie_finds_none_and_may_not_use_our_models(api: APIClient, other_api: APIClient, desk: Tenant) -> None:
    url = f"{ROUTERS}{api.post(ROUTERS, {'name': 'desk', **BODY}, format='json').json()['id']}/"
    for answer in (other_api.get(url), other_api.put(url, BODY, format="json"), other_api.delete(url)):
        assert answer.status_code == 404
    assert other_api.post(f"{url}try/", {"prompts": ["x"]}, format="json").status_code == 404
    assert other_api.get(ROUTERS).json()["results"] == []
    refused = other_api.post(ROUTERS, {"name": "desk", **BODY}, format="json")
    assert refused.json()["code"] == "router:unknown_model"
    assert api.get(url).json()["revision"] == 1


def test_a_reviewer_may_not(as_rita: Client, desk: Tenant) -> None:
    assert as_rita.get(ROUTERS).status_code == 403
    assert as_rita.post(ROUTERS, {"name": "desk"}, content_type="application/json").status_code == 403
