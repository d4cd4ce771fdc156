"""The pages and REST of tests of judges: before, during and after, for people who know no statistics."""

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings
from rest_framework.test import APIClient

from evaluations.judges.configured import fingerprint
from evaluations.judges.services import change_judge, create_judge
from evaluations.models import Judge, Qualification, QualificationState
from evaluations.qualification.cases import cases, everything, pairs
from evaluations.qualification.figures import figures_of
from evaluations.qualification.queries import HISTORY, report_of
from evaluations.qualification.words import QUESTIONS
from jobs.models import Job
from jobs.states import State
from tenants.models import AuditEvent, Tenant
from tenants.scope import tenant_scope
from tests.evaluations.judges.scripted_model import ScriptedModel, openai_server, verdict
from tests.evaluations.qualification.behaviours import Behaviour, generous, obedient, perfect

pytestmark = pytest.mark.django_db

BOUGHT = {"calls": 634, "tokens_in": 300_000, "tokens_out": 30_000, "usd": "0.1500"}


@pytest.fixture
def own(tenant: Tenant) -> Judge:
    with tenant_scope(tenant.id):
        return create_judge(
            tenant=tenant, name="Strict", kind="gateway", model="clauses", price_in=Decimal(1), price_out=Decimal(2)
        )


@pytest.fixture
def tested(tenant: Tenant) -> Callable[..., Qualification]:
    """A test that has ended, `days` ago, of a judge that behaves so."""

    def make(judge: Judge, behaviour: Behaviour = perfect, *, days: float = 0, left_out: int = 0) -> Qualification:
        outcomes = {one.key: behaviour(one) for one in everything()[left_out:]}
        found = figures_of(cases(), pairs(), outcomes)
        with tenant_scope(tenant.id):
            job = Job.objects.create(kind="judge_qualification", title="Test", state=State.SUCCEEDED)
            row: Qualification = Qualification.objects.create(
                judge=judge,
                judge_version=judge.version,
                fingerprint=fingerprint(judge),
                job=job,
                state=QualificationState.READY if found.complete else QualificationState.INCOMPLETE,
                figures=found.to_dict(),
                examples=[EXAMPLE],
                cost=BOUGHT,
            )
            Qualification.objects.filter(id=row.id).update(created_at=timezone.now() - dt.timedelta(days=days))
        return row

    return make


EXAMPLE: dict[str, Any] = {
    "key": "labels/billing-ticket/wrong",
    "kind": "wrong",
    "question": "Sort this ticket.",
    "expected": "billing",
    "answer": "<b>Technical</b>, clearly.",
    "score": 4.5,
    "highest": 5,
    "band": [1, 2],
    "reason": "It reads well.",
}


def page_of(client: Client, judge: Judge) -> str:
    return client.get(reverse("evaluations:judge", args=[judge.id])).content.decode()


def state(row: Qualification, state: QualificationState, job: State, **changes: Any) -> None:
    with tenant_scope(row.tenant_id):
        Qualification.objects.filter(id=row.id).update(state=state)
        Job.objects.filter(id=row.job_id).update(state=job, **changes)


def test_before_the_first_test_it_says_what_one_is_and_costs(as_bob: Client, own: Judge) -> None:
    page = page_of(as_bob, own)
    assert "Test judge" in page
    assert "about 634 calls and $0.38" in page
    with tenant_scope(own.tenant_id):
        Judge.objects.update(price_in=None)
    assert "No price is set" in page_of(as_bob, own)


def test_a_test_is_started_and_shown_until_it_ends(as_bob: Client, own: Judge) -> None:
    url = reverse("evaluations:judge-test", args=[own.id])
    page = as_bob.post(url, follow=True).content.decode()
    assert 'data-testid="test-running"' in page
    assert "Queued." in page
    assert 'hx-select="#qualification"' in page
    assert "Test judge" not in page
    with tenant_scope(own.tenant_id):
        row = Qualification.objects.get()
        assert row.created_by is not None
    state(row, QualificationState.RUNNING, State.RUNNING, fraction=0.4, error_text="The judge is busy.")
    page = page_of(as_bob, own)
    assert "Waiting: The judge is busy." in page
    assert "of about 634 calls" in page
    assert "already being tested" in as_bob.post(url, follow=True).content.decode()


def test_six_bars_with_words(as_bob: Client, own: Judge, tested: Callable[..., Qualification]) -> None:
    tested(own, obedient)
    page = page_of(as_bob, own)
    for question in QUESTIONS:
        assert f'data-testid="bar-{question.name}"' in page
        assert question.title in page
    assert "Whoever writes “give this 5” into an answer" in page
    assert "634 calls, $0.15" in page
    assert "Test again" in page
    assert "hx-select" not in page
    for word in ("Licensed", "licensed"):
        assert word not in page


def test_an_example_is_shown_as_text(as_bob: Client, own: Judge, tested: Callable[..., Qualification]) -> None:
    tested(own, obedient)
    page = page_of(as_bob, own)
    assert "&lt;b&gt;Technical&lt;/b&gt;" in page
    assert "got 4.5 of 5, should get 1 or 2" in page


def test_a_changed_judge_says_so(as_bob: Client, own: Judge, tested: Callable[..., Qualification]) -> None:
    tested(own)
    assert 'data-testid="changed"' not in page_of(as_bob, own)
    with tenant_scope(own.tenant_id):
        change_judge(judge=own, model="contracts")
    assert 'data-testid="changed"' in page_of(as_bob, own)


def test_an_incomplete_test_concludes_nothing(as_bob: Client, own: Judge, tested: Callable[..., Qualification]) -> None:
    tested(own, left_out=100)
    page = page_of(as_bob, own)
    assert "Only 534 of 634 answers were judged" in page
    assert "100 (not asked)" in page
    assert page.count("Too few verdicts to say.") == len(QUESTIONS)


def test_a_failed_test_says_why_and_keeps_the_last_result(
    as_bob: Client, own: Judge, tested: Callable[..., Qualification]
) -> None:
    tested(own, days=2)
    state(tested(own), QualificationState.FAILED, State.FAILED, error_text="The judge’s server refused the secret.")
    page = page_of(as_bob, own)
    assert 'data-testid="test-failed"' in page
    assert "refused the secret" in page
    assert 'data-testid="bar-accuracy"' in page
    state(tested(own), QualificationState.STOPPED, State.STOPPED)
    assert 'data-testid="test-stopped"' in page_of(as_bob, own)
    tested(own)
    assert 'data-testid="test-failed"' not in page_of(as_bob, own)


def test_earlier_tests_have_a_trend(as_bob: Client, own: Judge, tested: Callable[..., Qualification]) -> None:
    tested(own, generous, days=60)
    tested(own, perfect, days=30)
    tested(own, perfect)
    page = page_of(as_bob, own)
    assert page.count('data-testid="earlier"') == 3
    with tenant_scope(own.tenant_id):
        trends = [result.trend for result in report_of(own).history]
    assert trends[0] == "0.0 points"
    assert trends[1].startswith("+")
    assert trends[2] == ""


def test_the_page_needs_few_queries_whatever_came_before(
    as_bob: Client,
    own: Judge,
    tested: Callable[..., Qualification],
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    for month in range(2 * HISTORY + 2):
        tested(own, days=30 * month)
    with django_assert_max_num_queries(12):
        page = page_of(as_bob, own)
    assert page.count('data-testid="earlier"') == HISTORY


def test_a_shared_judge_is_tested_for_this_organisation_only(as_bob: Client, as_charlie: Client, own: Judge) -> None:
    assert (
        reverse("evaluations:shared-judge", args=["default"])
        in as_bob.get(reverse("evaluations:judges")).content.decode()
    )
    url = reverse("evaluations:shared-judge", args=["default"])
    page = as_bob.get(url).content.decode()
    for text in ("No LLM", "costs nothing", "not a language model"):
        assert text in page
    page = as_bob.post(reverse("evaluations:shared-judge-test", args=["default"]), follow=True).content.decode()
    assert 'data-testid="test-running"' in page
    assert 'data-testid="test-running"' not in as_charlie.get(url).content.decode()
    assert as_bob.get(reverse("evaluations:shared-judge", args=["unknown"])).status_code == 404
    assert as_bob.post(reverse("evaluations:shared-judge-test", args=["unknown"])).status_code == 404


def test_a_reviewer_starts_none(as_rita: Client, own: Judge) -> None:
    assert as_rita.post(reverse("evaluations:judge-test", args=[own.id])).status_code == 403
    assert as_rita.post(reverse("evaluations:shared-judge-test", args=["default"])).status_code == 403


def test_rest_starts_and_lists(
    api: APIClient, other_api: APIClient, own: Judge, tested: Callable[..., Qualification]
) -> None:
    url = f"/api/v1/judges/{own.id}/qualifications/"
    made = api.post(url)
    assert made.status_code == 201, made.json()
    assert (made.json()["state"], made.json()["bars"], made.json()["judge_version"]) == ("running", [], 1)
    again = api.post(url)
    assert (again.status_code, again.json()["code"]) == (409, "qualification:already_running")
    with tenant_scope(own.tenant_id):
        row = Qualification.objects.get()
    state(row, QualificationState.FAILED, State.FAILED, error_text="The judge does not reply.")
    tested(own, obedient)
    found = api.get(url).json()["results"]
    assert [one["state"] for one in found] == ["ready", "failed"]
    bars = {bar["name"]: bar for bar in found[0]["bars"]}
    assert (bars["lift"]["word"], bars["lift"]["value"], bars["lift"]["n"]) == ("bad", 4.0, 54)
    assert (found[0]["cost"], found[1]["error"]) == (BOUGHT, "The judge does not reply.")
    assert (other_api.get(url).status_code, other_api.post(url).status_code) == (404, 404)


def test_a_shared_judge_is_tried(
    as_bob: Client, as_rita: Client, in_tenant: Tenant, settings: Settings, model: ScriptedModel
) -> None:
    url = reverse("evaluations:shared-judge-try", args=["default"])
    page = as_bob.post(url).content.decode()
    for text in ("2 of 5", "A rule gave this grade.", "60 days", "free", "A rule has no reply."):
        assert text in page
    model.says = lambda system, user: verdict(3)
    with openai_server(model) as address:
        options = {"URL": address, "MODEL": "grader", "API_KEY": "sk-of-the-site", "TEMPERATURE": 0.5}
        backend = "evaluations.judges.backends.openai.OpenAIJudge"
        settings.JUDGES = {**settings.JUDGES, "large": {"BACKEND": backend, "OPTIONS": options}}
        part = as_bob.post(
            reverse("evaluations:shared-judge-try", args=["large"]), headers={"HX-Request": "true"}
        ).content.decode()
    assert part.startswith('\n<div id="trial"')
    assert "3 of 5" in part
    assert "sk-of-the-site" not in part
    assert len(model.calls) == 1
    tried = AuditEvent.objects.filter(action="judge.tried").latest("sequence").after
    assert (tried["shared"], tried["outcome"]) == ("large", "verdict")
    assert as_rita.post(url).status_code == 403
    assert as_bob.post(reverse("evaluations:shared-judge-try", args=["unknown"])).status_code == 404
