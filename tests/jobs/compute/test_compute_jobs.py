"""A compute job from start to end, on a real child process."""

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from jobs.engine.lease import claim
from jobs.engine.reconciler import jobs_to_step
from jobs.engine.steps import step_job
from jobs.models import Job, JobEvent
from jobs.services import stop_job
from jobs.states import State, transition
from rest.errors import Conflict
from tenants.models import Tenant
from tenants.scope import tenant_scope
from tests.jobs.conftest import ToyKind

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


def reload(job: Job) -> Job:
    with tenant_scope(job.tenant_id):
        return Job.objects.get(id=job.id)


def step_until(job: Job, reached: Callable[[Job], bool], seconds: float = 30.0) -> Job:
    deadline = time.monotonic() + seconds
    while not reached(now := reload(job)):
        assert time.monotonic() < deadline, f"still {now.state}, phase {now.phase!r}"
        for job_id in jobs_to_step():
            step_job(job_id)
        time.sleep(0.05)
    return now


def run_directory(job: Job) -> Path:
    return Path(settings.COMPUTE["default"]["OPTIONS"]["ROOT"]) / reload(job).external_name


def test_it_runs_reports_and_ends_once(start_toy: Callable[..., Job], toy: ToyKind) -> None:
    job = step_until(start_toy(steps=4), lambda j: j.is_terminal)
    assert (job.state, job.result, job.fraction, job.attempt) == (State.SUCCEEDED, {"sum": 10, "first": 0.0}, 1.0, 1)
    assert toy.ended == [("succeeded", job.result)]
    with tenant_scope(job.tenant_id):
        steps = [e.data["step"] for e in JobEvent.objects.filter(job=job, type="metric")]
    assert steps == [1, 2, 3, 4]
    assert job.started_at
    assert job.finished_at
    assert job.billable_seconds > 0
    assert job.cost_usd == pytest.approx(job.billable_seconds / 3600 * settings.LOCAL_PRICE_USD_PER_HOUR)


def test_an_error_of_the_user_keeps_its_code(start_toy: Callable[..., Job], toy: ToyKind) -> None:
    job = step_until(start_toy(fail_with="toy:broken"), lambda j: j.is_terminal)
    assert (job.state, job.error_code, job.error_text) == (State.FAILED, "toy:broken", "Mend the toy.")
    assert toy.ended == [("failed", {"code": "toy:broken"})]


def test_a_killed_run_goes_on_from_its_checkpoint(start_toy: Callable[..., Job], toy: ToyKind) -> None:
    job = start_toy(steps=30, seconds_per_step=0.1)
    step_until(job, lambda j: j.fraction > 0.1)
    os.kill(int((run_directory(job) / "pid").read_text()), signal.SIGKILL)
    job = step_until(job, lambda j: j.is_terminal)
    assert (job.state, job.attempt, job.result["sum"]) == (State.SUCCEEDED, 2, 465)
    assert job.result["first"] > 0
    assert [name for name, _ in toy.ended] == ["succeeded"]


def test_a_worker_that_dies_in_a_step_loses_nothing(start_toy: Callable[..., Job], toy: ToyKind) -> None:
    job = start_toy(steps=30, seconds_per_step=0.05)
    step_until(job, lambda j: j.fraction > 0.1)
    with tenant_scope(job.tenant_id):
        Job.objects.filter(id=job.id).update(due_at=job.created_at)
    dead = claim(job.id)
    assert dead is not None
    assert step_job(job.id) is None, "its lease keeps others away"
    with tenant_scope(job.tenant_id):
        Job.objects.filter(id=job.id).update(lease_expires_at=job.created_at)
    job = step_until(job, lambda j: j.is_terminal)
    assert (job.state, job.attempt) == (State.SUCCEEDED, 1), "the run itself was never interrupted"
    assert job.fence > dead.fence


def test_submitting_twice_starts_one_run(start_toy: Callable[..., Job], toy: ToyKind) -> None:
    job = start_toy(steps=20, seconds_per_step=0.1)
    step_until(job, lambda j: bool(j.external_name) and (run_directory(j) / "pid").exists())
    pid = (run_directory(job) / "pid").read_text()
    from jobs.backends import compute

    with tenant_scope(job.tenant_id):
        compute["default"].submit(reload(job).external_name, toy.prepare(reload(job)))
    job = step_until(job, lambda j: j.is_terminal)
    assert (job.state, (run_directory(job) / "pid").read_text()) == (State.SUCCEEDED, pid)


def test_a_running_job_stops(start_toy: Callable[..., Job], toy: ToyKind, tenant: Tenant) -> None:
    job = start_toy(steps=1000, seconds_per_step=0.05)
    step_until(job, lambda j: j.fraction > 0)
    with tenant_scope(tenant.id):
        assert stop_job(job_id=job.id).state == State.STOPPING
    job = step_until(job, lambda j: j.is_terminal)
    assert job.state == State.STOPPED
    assert toy.ended == [("stopped", {})]
    with tenant_scope(tenant.id):
        assert stop_job(job_id=job.id).state == State.STOPPED


def test_a_run_that_somebody_else_ends_goes_on_from_its_checkpoint(start_toy: Callable[..., Job], toy: ToyKind) -> None:
    job = start_toy(steps=30, seconds_per_step=0.1)
    step_until(job, lambda j: j.fraction > 0.1)
    # As a machine does with every process when it is switched off.
    os.kill(int((run_directory(job) / "pid").read_text()), signal.SIGTERM)
    job = step_until(job, lambda j: j.is_terminal)
    assert (job.state, job.attempt, job.result["sum"]) == (State.SUCCEEDED, 2, 465)
    assert job.result["first"] > 0


def test_a_queued_job_stops_at_once(start_toy: Callable[..., Job], toy: ToyKind, tenant: Tenant) -> None:
    job = start_toy()
    with tenant_scope(tenant.id):
        assert stop_job(job_id=job.id).state == State.STOPPED
    assert toy.ended == [("stopped", {})]
    assert jobs_to_step() == []


def test_an_ended_job_cannot_be_stopped(start_toy: Callable[..., Job], tenant: Tenant) -> None:
    job = step_until(start_toy(steps=1), lambda j: j.is_terminal)
    with tenant_scope(tenant.id), pytest.raises(Conflict):
        stop_job(job_id=job.id)


@pytest.mark.parametrize("state", [State.QUEUED, State.RUNNING])
def test_of_two_stops_at_once_the_second_changes_nothing(
    start_toy: Callable[..., Job], toy: ToyKind, tenant: Tenant, monkeypatch: pytest.MonkeyPatch, state: State
) -> None:
    job = start_toy(steps=1000, seconds_per_step=0.05)
    if state == State.RUNNING:
        step_until(job, lambda j: j.fraction > 0)

    def stopped_meanwhile(*args: Any, **changes: Any) -> bool:
        monkeypatch.undo()
        stop_job(job_id=job.id)
        return transition(*args, **changes)

    monkeypatch.setattr("jobs.services.transition", stopped_meanwhile)
    with tenant_scope(tenant.id):
        assert stop_job(job_id=job.id).state in {State.STOPPING, State.STOPPED}
    assert step_until(job, lambda j: j.is_terminal).state == State.STOPPED
    assert toy.ended == [("stopped", {})]


def test_a_job_that_fails_while_it_is_being_stopped_says_so(
    start_toy: Callable[..., Job], tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = start_toy(steps=1000, seconds_per_step=0.05)
    step_until(job, lambda j: j.fraction > 0)

    def failed_meanwhile(*args: Any, **changes: Any) -> bool:
        monkeypatch.undo()
        transition(reload(job), State.FAILED)
        return transition(*args, **changes)

    monkeypatch.setattr("jobs.services.transition", failed_meanwhile)
    with tenant_scope(tenant.id), pytest.raises(Conflict, match="already failed"):
        stop_job(job_id=job.id)


def test_a_run_whose_observer_is_gone_ends_itself(
    start_toy: Callable[..., Job], toy: ToyKind, monkeypatch: pytest.MonkeyPatch
) -> None:
    from jobs.backends import compute

    # Long enough that a busy machine does not lose the run before it is left alone.
    monkeypatch.setattr(compute["default"], "lease_seconds", 4)
    job = start_toy(steps=1000, seconds_per_step=0.05)
    step_until(job, lambda j: j.fraction > 0)
    pid = int((run_directory(job) / "pid").read_text())
    deadline = time.monotonic() + 60
    while Path(f"/proc/{pid}/cmdline").exists() and Path(f"/proc/{pid}/cmdline").read_bytes():
        assert time.monotonic() < deadline, "the run outlived its lease"
        time.sleep(0.1)
    with tenant_scope(job.tenant_id):
        stop_job(job_id=job.id)
    assert step_until(job, lambda j: j.is_terminal).state == State.STOPPED
