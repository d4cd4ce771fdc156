"""Trials in the browser and over REST."""

import pytest
from django.test import Client
from rest_framework.test import APIClient

from adapters.models import AdapterVersion
from serving.models import Promotion, TrialState
from serving.promotions.services import try_version
from serving.trials.services import TrialPlan
from tests.serving.trials.conftest import let_time_pass, saw, step, until_tried

pytestmark = pytest.mark.django_db
Versions = tuple[AdapterVersion, AdapterVersion]


def standing(client: Client, version: AdapterVersion) -> str:
    return client.get(f"/serving/versions/{version.id}/").content.decode()


def test_a_canary_in_the_browser(as_bob: Client, versions: Versions) -> None:
    _, second = versions
    assert "Who gets its answers" in standing(as_bob, second)
    answer = as_bob.post(f"/serving/promote/{second.id}/", {"how": "canary", "percent": "20", "minutes": "60"})
    assert answer["location"] == f"/adapters/versions/{second.id}/#promotion"
    trial = until_tried()
    assert (trial.percent, trial.is_canary, str(trial.created_by)) == (20, True, "Bob")
    panel = standing(as_bob, second)
    assert "Trying on callers" in panel
    assert "See the trial, or stop it" in panel
    page = as_bob.get(f"/serving/trials/{trial.id}/").content.decode()
    assert "data-live" in page
    assert "A caller counts 10 min after the first request, or after 20 requests." in page
    assert "Longer waits" not in page
    saw(trial, candidate=(100, 30), live=(400, 4))
    step()
    ended = as_bob.get(f"/serving/trials/{trial.id}/").content.decode()
    assert "data-live" not in ended
    assert "v2 had errors more often (30.0% against 1.0%), so the trial was halted." in ended
    assert "The last promotion failed" in standing(as_bob, second)
    assert "Canary" in as_bob.get("/serving/").content.decode()


def test_an_a_b_test_in_the_browser(as_bob: Client, versions: Versions) -> None:
    _, second = versions
    as_bob.post(f"/serving/promote/{second.id}/", {"how": "test", "percent": "50", "minutes": "1440"})
    assert "Try legal v2" in standing(as_bob, second)
    trial = until_tried()
    assert (trial.is_canary, Promotion.objects.filter(version=second).count()) == (False, 0)
    saw(trial, candidate=(300, 3), live=(300, 4))
    let_time_pass(trial)
    step()
    page = as_bob.get(f"/serving/trials/{trial.id}/").content.decode()
    assert "The trial ran to its end, and no harm was found. Then nothing was switched." in page
    assert "Callers with errors, v2 less v1: −" in page
    assert "Its last trial: <a" in standing(as_bob, second)


@pytest.mark.parametrize(
    "form",
    [
        {"how": "canary", "percent": "0", "minutes": "60"},
        {"how": "canary", "percent": "", "minutes": "60"},
        {"how": "canary", "percent": "x", "minutes": "60"},
        {"how": "test", "percent": "10", "minutes": "61"},
        {"how": "nobody"},
    ],
)
def test_a_wrong_choice_starts_nothing(as_bob: Client, versions: Versions, form: dict[str, str]) -> None:
    promotions = Promotion.objects.count()
    answer = as_bob.post(f"/serving/promote/{versions[1].id}/", form, follow=True)
    assert "alert-danger" in answer.content.decode()
    assert Promotion.objects.count() == promotions
    assert not versions[1].deployments.exists()


def test_trials_over_rest(api: APIClient, versions: Versions) -> None:
    first, second = versions
    answer = api.post("/api/v1/promotions/", {"version": str(second.id), "canary": {"percent": 10, "minutes": 60}})
    assert answer.status_code == 201, answer.content
    trial = until_tried()
    saw(trial, candidate=(10, 1), live=(90, 2))
    [row] = api.get("/api/v1/trials/?state=running").json()["results"]
    assert row == api.get(f"/api/v1/trials/{trial.id}/").json()
    assert (row["version"], row["live_version"], row["percent"], row["is_canary"]) == (
        str(second.id), str(first.id), 10, True,
    )  # fmt: skip
    assert row["figures"]["candidate"] == {
        "requests": 30, "callers": 10, "callers_with_errors": 1, "answered": 29, "slow": 0,
    }  # fmt: skip
    assert row["figures"]["evidence_of_slowness"] is None
    assert api.post(row["job"]["links"]["stop"]).status_code == 200
    step()
    assert api.get(f"/api/v1/trials/{trial.id}/").json()["state"] == TrialState.STOPPED
    answer = api.post("/api/v1/trials/", {"version": str(second.id), "plan": {"percent": 50, "minutes": 1440}})
    assert (answer.status_code, answer.json()["kind"]) == (201, "trial")
    assert until_tried().percent == 50
    answer = api.post("/api/v1/trials/", {"version": str(second.id), "plan": {"percent": 50, "minutes": 1440}})
    assert (answer.status_code, answer.json()["code"]) == (409, "trial:running")


@pytest.mark.parametrize("plan", [{}, {"percent": 10}, {"percent": 99, "minutes": 5}, {"percent": 5, "minutes": 0}, 7])
def test_a_wrong_plan_is_a_problem(api: APIClient, versions: Versions, plan: object) -> None:
    for path, body in (("trials", {"plan": plan}), ("promotions", {"canary": plan})):
        answer = api.post(f"/api/v1/{path}/", {"version": str(versions[1].id), **body})
        assert answer.status_code == 400, answer.content


def test_another_tenants_trial_is_not_found(as_charlie: Client, versions: Versions) -> None:
    plan = TrialPlan(percent=10, minutes=60)
    try_version(tenant=versions[0].tenant, version=versions[1], plan=plan, created_by=None)
    trial = until_tried()
    assert as_charlie.get(f"/serving/trials/{trial.id}/").status_code == 404
