"""A promotion with a time does nothing before it, and asks again whether it may."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from adapters.models import AdapterVersion
from evaluations.gates.policies import read_policy
from evaluations.gates.services import open_decision, reject, set_policy
from evaluations.models import Decision
from jobs.engine.reconciler import jobs_to_step
from jobs.engine.steps import step_job
from jobs.models import Job
from jobs.states import State
from rest.errors import Conflict, PortalError
from serving.freezes.services import add_freeze
from serving.models import Deployment, Promotion, Route
from serving.promotions.services import promote_version, roll_back
from tenants.models import AuditEvent, Tenant, User
from tests.serving.memory_endpoint import MemoryEndpoint

MakeVersion = Callable[..., AdapterVersion]
RunJobs = Callable[..., None]
pytestmark = pytest.mark.django_db
HOUR = dt.timedelta(hours=1)


@pytest.fixture(autouse=True)
def nobody_to_ask(memory: MemoryEndpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("serving.endpoints.loading.known_answers", lambda version, limit: [])


def promote(version: AdapterVersion, *, after: dt.timedelta | None = None, by: User | None = None) -> Promotion:
    at = timezone.now() + after if after else None
    return promote_version(tenant=version.tenant, version=version, created_by=by, not_before=at)


def step_once() -> None:
    for job_id in jobs_to_step():
        step_job(job_id)


def let_it_be_time() -> None:
    now = timezone.now()
    Promotion.objects.exclude(not_before=None).update(not_before=now - dt.timedelta(seconds=1))
    Job.objects.active().update(due_at=now)


@pytest.fixture
def scheduled(in_tenant: Tenant, make_version: MakeVersion) -> Promotion:
    """Of v2 in an hour, while v1 is live; its job has been looked at once."""
    promote(make_version(in_tenant, "legal", 1))
    step_once()
    promotion = promote(make_version(in_tenant, "legal", 2), after=HOUR)
    step_once()
    return promotion


def test_nothing_is_done_before_its_time(memory: MemoryEndpoint, scheduled: Promotion, run_jobs: RunJobs) -> None:
    job = Job.objects.get(id=scheduled.job.id)
    assert (job.state, job.phase, job.error_code) == (State.RUNNING, "scheduled", "promotion:scheduled")
    assert f"{timezone.localtime(scheduled.not_before):%-d %b %Y, %H:%M} UTC" in job.error_text
    assert job.due_at > timezone.now() + dt.timedelta(minutes=50)
    assert len(memory.held) == Deployment.objects.count() == 1
    let_it_be_time()
    run_jobs()
    job.refresh_from_db()
    assert (job.state, job.error_text) == (State.SUCCEEDED, "")
    assert Route.objects.get().active.version == scheduled.version
    events = AuditEvent.objects.filter(action="promotion.started").order_by("sequence")
    assert ["not_before" in event.after for event in events] == [False, True]


@pytest.mark.parametrize("after", [-HOUR, dt.timedelta(seconds=-1), dt.timedelta(days=30, minutes=1)])
def test_a_time_that_is_past_or_too_far_is_refused(
    in_tenant: Tenant, make_version: MakeVersion, after: dt.timedelta
) -> None:
    with pytest.raises(PortalError) as refused:
        promote(make_version(in_tenant, "legal", 1), after=after)
    assert (refused.value.code, refused.value.field) == ("promotion:bad_time", "not_before")
    assert not Promotion.objects.exists()
    assert not Decision.objects.exists()


def test_a_decision_that_was_rejected_meanwhile_refuses_it(
    scheduled: Promotion, alice: User, run_jobs: RunJobs
) -> None:
    decision = open_decision(tenant=scheduled.tenant, version=scheduled.version, opened_by=alice)
    reject(decision=decision, reason="It is rude.", closed_by=alice)
    let_it_be_time()
    run_jobs()
    scheduled.refresh_from_db()
    assert (scheduled.job.state, scheduled.job.error_code) == (State.FAILED, "gate:rejected")
    assert "It is rude." in scheduled.job.error_text
    assert Route.objects.get().active.version.number == 1


def test_a_policy_that_was_changed_meanwhile_counts(scheduled: Promotion, alice: User, run_jobs: RunJobs) -> None:
    stricter = read_policy({"conditions": [{"kind": "approvals", "people": 1}]})
    set_policy(tenant=scheduled.tenant, adapter=scheduled.version.adapter, policy=stricter, set_by=alice)
    let_it_be_time()
    run_jobs()
    scheduled.refresh_from_db()
    assert (scheduled.job.state, scheduled.job.error_code) == (State.FAILED, "gate:no_decision")


def test_an_unchanged_decision_is_not_made_again(scheduled: Promotion, run_jobs: RunJobs) -> None:
    before = Decision.objects.filter(version=scheduled.version).values_list("id", flat=True)
    [decision] = before
    let_it_be_time()
    run_jobs()
    assert [*Decision.objects.filter(version=scheduled.version).values_list("id", flat=True)] == [decision]


def test_it_waits_for_a_freeze_at_its_time(scheduled: Promotion, run_jobs: RunJobs) -> None:
    add_freeze(
        tenant=scheduled.tenant, adapter=None, starts_at=None, ends_at=timezone.now() + 9 * HOUR, reason="Close",
        created_by=None,
    )  # fmt: skip
    let_it_be_time()
    step_once()
    assert Job.objects.get(id=scheduled.job.id).phase == "frozen"
    assert Deployment.objects.count() == 1


def test_what_counts_is_whether_promotions_are_frozen_at_its_time(in_tenant: Tenant, make_version: MakeVersion) -> None:
    version = make_version(in_tenant, "legal", 1)
    add_freeze(
        tenant=in_tenant, adapter=None, starts_at=timezone.now() + HOUR, ends_at=timezone.now() + 3 * HOUR,
        reason="Close", created_by=None,
    )  # fmt: skip
    with pytest.raises(Conflict, match=r"frozen from .* until .*Close"):
        promote(version, after=2 * HOUR)
    assert promote(version, after=4 * HOUR).job.state == State.QUEUED


def test_another_promotion_is_refused_and_a_rollback_is_not(
    scheduled: Promotion, make_version: MakeVersion, run_jobs: RunJobs
) -> None:
    with pytest.raises(Conflict, match="is scheduled to be promoted on") as refused:
        promote(make_version(scheduled.tenant, "legal", 3))
    assert refused.value.code == "promotion:running"
    route = Route.objects.get()
    Route.objects.update(previous=route.active)
    assert roll_back(tenant=scheduled.tenant, route=route, created_by=None).is_rollback


def test_rest_schedules_and_cancels(
    api: APIClient, in_tenant: Tenant, make_version: MakeVersion, run_jobs: RunJobs
) -> None:
    version = make_version(in_tenant, "legal", 1)
    at = (timezone.now() + HOUR).replace(microsecond=0)
    body: dict[str, Any] = {"version": str(version.id), "not_before": at.isoformat()}
    answer = api.post("/api/v1/promotions/", body)
    assert answer.status_code == 201
    assert dt.datetime.fromisoformat(answer.json()["not_before"]) == at
    job = answer.json()["job"]["id"]
    step_once()
    assert api.post(f"/api/v1/jobs/{job}/stop/").status_code in (200, 202)
    run_jobs()
    promotion = api.get(f"/api/v1/promotions/{answer.json()['id']}/").json()
    assert promotion["state"] == "stopped"
    assert not Deployment.objects.exists()
    for wrong in ("soon", (timezone.now() - HOUR).isoformat(), (timezone.now() + 31 * 24 * HOUR).isoformat()):
        refused = api.post("/api/v1/promotions/", {**body, "not_before": wrong})
        assert refused.status_code == 400
        problem = refused.json()
        assert "not_before" in (problem.get("field"), *(error["field"] for error in problem.get("errors", [])))


def test_the_page_schedules_and_cancels(
    as_bob: Client, in_tenant: Tenant, make_version: MakeVersion, run_jobs: RunJobs
) -> None:
    version = make_version(in_tenant, "legal", 1)
    page = f"/adapters/versions/{version.id}/"
    assert 'name="not_before"' in as_bob.get(page).content.decode()
    for wrong, told in (("soon", "Enter a date and a time"), ("2001-01-01T12:00", "Choose a time in the future")):
        answer = as_bob.post(f"/serving/promote/{version.id}/", {"not_before": wrong}, follow=True)
        assert told in answer.content.decode()
    assert not Promotion.objects.exists()
    at = timezone.localtime(timezone.now() + HOUR)
    as_bob.post(f"/serving/promote/{version.id}/", {"not_before": f"{at:%Y-%m-%dT%H:%M}"})
    promotion = Promotion.objects.get()
    assert promotion.not_before == at.replace(second=0, microsecond=0)
    step_once()
    shown = as_bob.get(page).content.decode().split('data-testid="scheduled"')[1]
    assert f"{at:%-d %b %Y, %H:%M} UTC" in shown
    assert "by Bob" in shown
    assert f"/jobs/{promotion.job.id}/stop/" in shown
    assert "Scheduled for" in as_bob.get("/serving/").content.decode()
    as_bob.post(f"/jobs/{promotion.job.id}/stop/")
    run_jobs()
    assert Job.objects.get(id=promotion.job.id).state == State.STOPPED
    assert "was stopped" in as_bob.get(page).content.decode()
