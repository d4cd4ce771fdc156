"""Attempts that get further cost nothing; those that do not are numbered."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from django.conf import settings

from jobs.backends.local import LocalCompute
from jobs.compute.kinds import external_name
from jobs.engine.reconciler import jobs_to_step
from jobs.engine.steps import step_job
from jobs.models import Job
from jobs.outcomes import Retry
from jobs.states import State
from tenants.scope import tenant_scope
from tests.jobs.conftest import ToyKind

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


def compute_root() -> Path:
    return Path(settings.COMPUTE["default"]["OPTIONS"]["ROOT"])


def end_of(job: Job) -> Job:
    with tenant_scope(job.tenant_id):
        return Job.objects.get(id=job.id)


def test_a_job_outlives_any_number_of_attempts_that_get_further(
    toy: ToyKind, start_toy: Callable[..., Job], run_jobs: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(toy, "max_attempts", 2)
    job = start_toy(steps=15, dies_after=3)
    run_jobs()
    job = end_of(job)
    assert (job.state, job.attempt, job.result) == (State.SUCCEEDED, 5, {"sum": 120, "first": 12.0})
    kept = [attempt for attempt in range(1, 6) if (compute_root() / external_name(job, attempt)).exists()]
    assert kept == [5], "what lost attempts left is cleared away"


def test_a_job_that_gets_no_further_is_given_up(
    toy: ToyKind, start_toy: Callable[..., Job], run_jobs: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(toy, "max_attempts", 3)
    job = start_toy(steps=15, cannot_pass=4)
    run_jobs()
    job = end_of(job)
    assert (job.state, job.error_code, job.furthest_step) == (State.FAILED, "platform:run_lost", 4)
    assert job.attempt == 4, "one that reached step 4, and three in a row that got no further"


def test_a_worker_that_dies_when_it_found_a_run_lost_does_not_begin_it_twice(
    toy: ToyKind, start_toy: Callable[..., Job], run_jobs: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[str] = []
    spawn = LocalCompute._spawn

    def spawn_and_note(self: LocalCompute, run: Path, module: str) -> None:
        begun.append(run.name)
        spawn(self, run, module)

    monkeypatch.setattr(LocalCompute, "_spawn", spawn_and_note)
    job = start_toy(steps=2, dies_after=1)
    for job_id in jobs_to_step():
        step_job(job_id)
    with tenant_scope(job.tenant_id):
        deadline = time.monotonic() + 60
        while not isinstance(outcome := toy.step(Job.objects.get(id=job.id)), Retry):
            assert time.monotonic() < deadline, outcome
            time.sleep(0.05)
    run_jobs()
    assert end_of(job).state == State.SUCCEEDED
    assert len(begun) == len(set(begun)) == 2
