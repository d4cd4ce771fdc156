"""A version that is live, and another to be tried beside it, on an endpoint in memory."""

import datetime as dt
from collections.abc import Callable

import pytest
from django.utils import timezone

from adapters.models import AdapterVersion
from jobs.engine.reconciler import jobs_to_step
from jobs.engine.steps import step_job
from jobs.models import Job
from serving.models import Route, Trial, TrialCaller
from serving.promotions.services import promote_version
from serving.trials.figures import COLLECTED
from tenants.models import Tenant
from tests.metering.conftest import count, folder, record, write
from tests.serving.memory_endpoint import MemoryEndpoint

__all__ = ["count", "folder", "record", "write"]

MakeVersion = Callable[..., AdapterVersion]


@pytest.fixture
def unasked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the endpoint is in memory nobody can be asked, so there are no known answers."""
    monkeypatch.setattr("serving.endpoints.loading.known_answers", lambda version, limit: [])


@pytest.fixture
def versions(
    memory: MemoryEndpoint, unasked: None, in_tenant: Tenant, make_version: MakeVersion, run_jobs: Callable[..., None]
) -> tuple[AdapterVersion, AdapterVersion]:
    """Two versions of `legal`, of which the first is live."""
    first, second = make_version(in_tenant, "legal", 1), make_version(in_tenant, "legal", 2)
    promote_version(tenant=in_tenant, version=first, created_by=None)
    run_jobs()
    assert Route.objects.get(alias="legal").active.version == first
    return first, second


def step() -> None:
    """Step every job once that has not ended, whenever it would be due."""
    Job.objects.active().update(due_at=timezone.now() - dt.timedelta(hours=1))
    for job_id in jobs_to_step():
        step_job(job_id)


def until_tried() -> Trial:
    """The trial of the job that runs, once it has begun."""
    for _ in range(10):
        step()
        if trial := Trial.objects.filter(ended_at=None).first():
            return trial
    raise AssertionError("no trial began")


def saw(trial: Trial, *, candidate: tuple[int, int], live: tuple[int, int]) -> None:
    """Let (callers, callers with errors) of both arms have ended their windows; each asked three times."""
    closed = timezone.now() - 2 * COLLECTED
    TrialCaller.objects.bulk_create(
        TrialCaller(
            tenant_id=trial.tenant_id,
            trial=trial,
            caller=f"{in_canary:016x}{number:016x}",
            in_canary=in_canary,
            closes_at=closed,
            requests=3,
            errors=int(number < with_errors),
        )
        for in_canary, (callers, with_errors) in ((True, candidate), (False, live))
        for number in range(callers)
    )


def let_time_pass(trial: Trial) -> None:
    """Let the trial's time be over."""
    Trial.objects.filter(id=trial.id).update(ends_at=timezone.now() - dt.timedelta(seconds=1))
