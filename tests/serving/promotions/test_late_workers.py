"""A worker that comes back after its job has ended, and a promotion that ends beside another of the same version."""

import datetime as dt
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from django.utils import timezone

from adapters.models import AdapterVersion
from jobs.engine.reconciler import jobs_to_step
from jobs.engine.steps import step_job
from jobs.models import Job
from jobs.services import stop_job
from jobs.states import State
from serving.backends.base import Status
from serving.endpoints.reconciler import reconcile
from serving.models import Deployment, DeploymentState, Promotion, Route, Trial
from serving.promotions import kinds
from serving.promotions.services import promote_version, roll_back
from serving.trials.services import TrialPlan
from tenants.models import Tenant
from tests.serving.memory_endpoint import MemoryEndpoint

MakeVersion = Callable[..., AdapterVersion]
pytestmark = pytest.mark.django_db
PLAN = TrialPlan(percent=10, minutes=10)


@pytest.fixture(autouse=True)
def nobody_to_ask(memory: MemoryEndpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("serving.endpoints.loading.known_answers", lambda version, limit: [])


def step_now(job_id: UUID) -> None:
    """Step a job as if it were due and nobody had its lease."""
    Job.objects.filter(id=job_id).update(lease_expires_at=None, due_at=timezone.now() - dt.timedelta(hours=1))
    step_job(job_id)


@pytest.mark.parametrize(("moment", "number"), [("place_of", 3), ("fingerprint_of", 1)])
def test_a_worker_that_comes_late_leaves_nothing_behind(
    moment: str,
    number: int,
    memory: MemoryEndpoint,
    in_tenant: Tenant,
    make_version: MakeVersion,
    run_jobs: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    versions = [make_version(in_tenant, "legal", seed) for seed in (1, 2, 3)]
    for version in versions[:2]:
        promote_version(tenant=in_tenant, version=version, created_by=None)
        run_jobs()
    promote_version(tenant=in_tenant, version=versions[number - 1], created_by=None, canary=PLAN)
    [job_id] = jobs_to_step()
    before = set(Deployment.objects.values_list("name", "state"))
    original = getattr(kinds, moment)

    def late(*args: Any) -> Any:
        stop_job(job_id=job_id)
        step_now(job_id)
        assert Job.objects.get(id=job_id).state == State.STOPPED
        return original(*args)

    monkeypatch.setattr(kinds, moment, late)
    step_job(job_id)
    assert set(Deployment.objects.values_list("name", "state")) == before
    assert not Trial.objects.exists()


def test_a_deployment_stays_for_another_promotion_of_its_version(
    memory: MemoryEndpoint, in_tenant: Tenant, make_version: MakeVersion, run_jobs: Callable[..., None]
) -> None:
    first, second = make_version(in_tenant, "legal", 1), make_version(in_tenant, "legal", 2)
    for version in (first, second):
        promote_version(tenant=in_tenant, version=version, created_by=None)
        run_jobs()
    Deployment.objects.exclude(drain_until=None).update(drain_until=timezone.now())
    reconcile()
    route = Route.objects.get()
    scheduled = promote_version(
        tenant=in_tenant, version=first, created_by=None, not_before=timezone.now() + dt.timedelta(hours=1)
    )
    rollback = roll_back(tenant=in_tenant, route=route, created_by=None)
    memory.next_status = Status.CREATING
    Promotion.objects.filter(id=scheduled.id).update(not_before=timezone.now() - dt.timedelta(seconds=1))
    for job_id in jobs_to_step():
        step_job(job_id)
    stop_job(job_id=scheduled.job.id)
    step_now(scheduled.job.id)
    rollback.refresh_from_db()
    assert Job.objects.get(id=scheduled.job.id).state == State.STOPPED
    assert rollback.deployment.state == DeploymentState.CREATING
    stop_job(job_id=rollback.job.id)
    run_jobs()
    rollback.refresh_from_db()
    assert rollback.deployment.state == DeploymentState.DELETED
