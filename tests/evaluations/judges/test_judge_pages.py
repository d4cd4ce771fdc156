"""Pages and REST of judges: what they show, and that they never show a secret."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries, Settings
from rest_framework.test import APIClient

from evaluations.judges.services import create_judge
from evaluations.models import Judge
from tenants.models import Tenant
from tenants.scope import tenant_scope
from tests.evaluations.judges.scripted_model import ScriptedModel, openai_server

SECRET = "sk-secret-of-the-judge"
BODY: dict[str, Any] = {"name": "Strict", "kind": "openai", "model": "grader", "temperature": "0", "samples": "3"}


@pytest.fixture(autouse=True)
def on_one_machine(settings: Settings) -> None:
    """The script's server is on loopback, which only judges of an embedded site may ask."""
    settings.EMBEDDED = True


@pytest.fixture
def model() -> ScriptedModel:
    return ScriptedModel()


@pytest.fixture
def address(model: ScriptedModel) -> Iterator[str]:
    with openai_server(model) as url:
        yield url


@pytest.fixture
def judge(tenant: Tenant, address: str) -> Judge:
    with tenant_scope(tenant.id):
        return create_judge(
            tenant=tenant, secret=SECRET, **{**BODY, "temperature": 0.0, "samples": 3, "address": address}
        )


def url_of(judge: Judge, name: str = "judge") -> str:
    return reverse(f"evaluations:{name}", args=[judge.id])


def test_a_judge_is_added_shown_and_changed(as_bob: Client, tenant: Tenant, address: str) -> None:
    answer = as_bob.post(reverse("evaluations:new-judge"), {**BODY, "address": address, "secret": SECRET}, follow=True)
    page = answer.content.decode()
    assert "Judge added." in page
    assert f"A key is stored for {address.removesuffix('/v1')}" in page
    with tenant_scope(tenant.id):
        judge = Judge.objects.get()
    changes = {**BODY, "address": "https://other.example/v1", "name": "Stricter"}
    page = as_bob.post(url_of(judge), changes, follow=True).content.decode()
    assert "The API key is no longer stored." in page
    assert "Stricter" in page
    assert "Version 2" in page
    assert SECRET not in page


def test_a_wrong_value_stays_in_the_form(as_bob: Client) -> None:
    wrong = {**BODY, "address": "nowhere", "secret": SECRET}
    page = as_bob.post(reverse("evaluations:new-judge"), wrong).content.decode()
    assert "Enter an address such as" in page
    assert SECRET not in page


def test_the_secret_can_be_forgotten(as_bob: Client, judge: Judge, tenant: Tenant, address: str) -> None:
    as_bob.post(url_of(judge), {**BODY, "address": address, "forget_secret": "on"})
    with tenant_scope(tenant.id):
        assert not Judge.objects.get().has_secret


def test_a_trial_shows_prompt_reply_and_figures(as_bob: Client, judge: Judge) -> None:
    page = as_bob.post(url_of(judge, "judge-try")).content.decode()
    for text in ("2 of 5", "Missing: 30", "60 days", "EXPECTED ANSWER", "Input tokens", "no price set", "Delete judge"):
        assert text in page
    assert SECRET not in page
    part = as_bob.post(url_of(judge, "judge-try"), headers={"HX-Request": "true"}).content.decode()
    assert part.startswith('\n<div id="trial"')


def test_a_failed_trial_says_why(as_bob: Client, judge: Judge, model: ScriptedModel) -> None:
    model.without = frozenset({"messages"})
    assert "No verdict" in as_bob.post(url_of(judge, "judge-try")).content.decode()


def test_the_list_needs_few_queries(
    as_bob: Client, tenant: Tenant, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    with tenant_scope(tenant.id):
        for number in range(30):
            create_judge(tenant=tenant, name=f"Judge {number}", kind="gateway", model="clauses")
    with django_assert_max_num_queries(8):
        page = as_bob.get(reverse("evaluations:judges")).content.decode()
    assert page.count("Model on this site") == 25
    assert "no LLM" in page


def test_a_reviewer_is_kept_out(as_rita: Client) -> None:
    assert as_rita.get(reverse("evaluations:judges")).status_code == 403


def test_rest_from_first_to_last(api: APIClient, other_api: APIClient, address: str) -> None:
    body = {"name": "Strict", "kind": "openai", "model": "grader", "address": address, "secret": SECRET}
    made = api.post("/api/v1/judges/", {**body, "price_in": "0.4", "price_out": "1.6"})
    assert made.status_code == 201, made.json()
    judge = made.json()
    assert (judge["has_secret"], judge["version"]) == (True, 1)
    one = f"/api/v1/judges/{judge['id']}/"
    tried = api.post(f"{one}try/").json()
    assert (tried["score"], tried["distribution"], tried["error_kind"]) == (2.0, {"2": 1.0}, None)
    assert float(tried["cost_usd"]) > 0
    changed = api.patch(one, {"temperature": 0.5}).json()
    assert changed["version"] == 2
    assert changed["fingerprint"] != judge["fingerprint"]
    assert SECRET not in f"{judge}{tried}{changed}{api.get('/api/v1/judges/').json()}"
    assert other_api.post(f"{one}try/").status_code == 404
    wrong = api.patch(one, {"address": "nowhere"})
    assert (wrong.status_code, wrong.json()["code"], wrong.json()["field"]) == (400, "judge:wrong_setting", "address")
    assert api.delete(one).status_code == 204
    assert api.get(one).status_code == 404
