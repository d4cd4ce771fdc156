"""Starting a judging in the browser and over REST, with what it takes before and what it took after."""

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse
from rest_framework.test import APIClient

from evaluations.models import EvaluationRun, Judge, Judging
from evaluations.rubrics.document import parsed
from evaluations.rubrics.services import create_rubric
from evaluations.runs.judgings import estimates
from tenants.models import Tenant
from tests.evaluations.judges.scripted_model import ScriptedModel

URL = "/api/v1/judgings/"
NOWHERE = "0b9c7c1e-6f0e-4c39-9f5a-2f4a1d1f7c11"
MakeEvaluation = Callable[..., EvaluationRun]


@pytest.fixture
def run(in_tenant: Tenant, make_evaluation: MakeEvaluation) -> EvaluationRun:
    return make_evaluation(in_tenant)


def test_without_judges_the_page_says_what_to_do(as_alice: Client, run: EvaluationRun) -> None:
    page = as_alice.get(reverse("evaluations:judge-answers", args=[run.id])).content.decode()
    assert "No judges yet" in page
    assert reverse("evaluations:new-judge") in page


def test_the_form_states_the_calls_and_starts(
    as_alice: Client, run: EvaluationRun, judge: Judge, model: ScriptedModel, run_jobs: Callable[..., None]
) -> None:
    url = reverse("evaluations:judge-answers", args=[run.id])
    page = as_alice.get(url).content.decode()
    # A single judge is chosen already.
    assert '<dd class="numbers">12</dd>' in page
    estimate = reverse("evaluations:judging-estimate", args=[run.id])
    both = as_alice.get(estimate, {"judges": [str(judge.id)], "is_pairwise": "on"}).content.decode()
    assert '<dd class="numbers">24</dd>' in both
    assert "Choose a judge." in as_alice.get(estimate).content.decode()
    response = as_alice.post(url, {"judges": [str(judge.id)]}, follow=True)
    assert "View progress" in response.content.decode()
    run_jobs()
    page = as_alice.get(reverse("evaluations:detail", args=[run.id])).content.decode()
    assert "Strict" in page
    assert "Known already" in as_alice.get(url).content.decode()
    assert len(model.calls) == 12


def test_many_questions_are_counted_from_some_rows(
    as_alice: Client, api: APIClient, run: EvaluationRun, judge: Judge, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(estimates, "MOST_QUESTIONS", 4)
    page = as_alice.get(reverse("evaluations:judge-answers", args=[run.id])).content.decode()
    assert '<dd class="numbers">about 12</dd>' in page
    body = {"evaluation": str(run.id), "judges": [str(judge.id)]}
    found = api.post(f"{URL}estimate/", body, format="json").json()
    assert (found["is_sample"], found["calls"]) == (True, {"low": 12, "high": 12})


def test_a_form_without_a_judge_is_shown_again(as_alice: Client, run: EvaluationRun, judge: Judge) -> None:
    page = as_alice.post(reverse("evaluations:judge-answers", args=[run.id]), {}).content.decode()
    assert "invalid-feedback" in page
    assert not Judging.objects.filter(run=run).exclude(job=None).exists()


def test_over_rest(
    api: APIClient, in_tenant: Tenant, run: EvaluationRun, judge: Judge, run_jobs: Callable[..., None]
) -> None:
    criteria = [{"name": "Facts", "description": "Are they right?"}, {"name": "Form", "description": "Is it short?"}]
    rubric = create_rubric(tenant=in_tenant, document=parsed({"name": "Clauses", "criteria": criteria}))
    body = {"evaluation": str(run.id), "judges": [str(judge.id)], "rubric": str(rubric.id)}
    estimate = api.post(f"{URL}estimate/", body, format="json").json()
    assert estimate["calls"] == {"low": 24, "high": 24}
    assert 0 < estimate["usd"]["low"] < estimate["usd"]["high"]
    created = api.post(URL, body, format="json")
    assert (created.status_code, created.json()["state"]) == (201, "running")
    assert api.post(URL, body, format="json").json()["code"] == "judging:already_running"
    run_jobs()
    done = api.get(f"{URL}{created.json()['id']}/").json()
    assert (done["state"], done["rubric"], done["usage"]["calls"]) == ("ready", "Clauses v1", 24)
    assert api.get(URL, {"evaluation": str(run.id)}).json()["results"][0]["id"] == done["id"]
    assert api.get(URL, {"evaluation": done["id"]}).json()["results"] == []


def test_judges_are_chosen_with_the_evaluation(
    as_alice: Client, api: APIClient, run: EvaluationRun, judge: Judge
) -> None:
    url = reverse("evaluations:start", args=[run.version_id])
    assert "Who judges the answers?" in as_alice.get(url).content.decode()
    sent = {"dataset_version": str(run.dataset_version_id), "rows": "5", "judges": [str(judge.id)], "rubric": ""}
    as_alice.post(url, sent)
    job = EvaluationRun.objects.exclude(id=run.id).get().job
    assert [one["name"] for one in job.spec["judging"]["judges"]] == ["Strict"]
    EvaluationRun.objects.update(state="failed")
    body = {"version": str(run.version_id), "judges": [str(judge.id)], "is_pairwise": True}
    assert api.post("/api/v1/evaluations/", body, format="json").status_code == 201
    newest = EvaluationRun.objects.order_by("-created_at")[0]
    assert newest.job.spec["judging"]["is_pairwise"] is True
    assert api.post("/api/v1/evaluations/", {**body, "judges": [NOWHERE]}, format="json").status_code == 404


@pytest.mark.parametrize(
    ("field", "value", "status"),
    [
        ("evaluation", NOWHERE, 404),
        ("evaluation", "x", 400),
        ("judges", [], 400),
        ("judges", ["x"], 404),
        ("judges", [NOWHERE], 404),
        ("judges", ["shared:default"], 404),
        ("judges", ["shared:nobody"], 404),
        ("rubric", NOWHERE, 404),
    ],
)
def test_what_is_not_there(
    api: APIClient, run: EvaluationRun, judge: Judge, field: str, value: object, status: int
) -> None:
    body = {"evaluation": str(run.id), "judges": [str(judge.id)], field: value}
    for url in (URL, f"{URL}estimate/"):
        assert api.post(url, body, format="json").status_code == status


def test_others_see_nothing(
    as_charlie: Client, as_rita: Client, other_api: APIClient, run: EvaluationRun, judge: Judge
) -> None:
    judging = Judging.objects.get(run=run)
    assert other_api.get(URL).json()["results"] == []
    assert other_api.get(f"{URL}{judging.id}/").status_code == 404
    body = {"evaluation": str(run.id), "judges": [str(judge.id)]}
    assert other_api.post(URL, body, format="json").status_code == 404
    for name in ("judge-answers", "judging-estimate"):
        assert as_charlie.get(reverse(f"evaluations:{name}", args=[run.id])).status_code == 404
        assert as_rita.get(reverse(f"evaluations:{name}", args=[run.id])).status_code == 403
