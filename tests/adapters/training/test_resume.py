"""A stopped training goes on from its checkpoint as a new run; one without is refused with the next step."""

import datetime as dt
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from adapters.models import AdapterVersion, BaseModel, TrainingRun
from adapters.training.curves import curve_of, last_checkpoint
from adapters.training.services import resume_training, start_training
from corpora.models import DatasetVersion
from jobs.backends import compute
from jobs.backends.base import ComputeBackend
from jobs.compute.kinds import checkpoint_key
from jobs.compute.leftovers import discard_leftovers
from jobs.engine.reconciler import jobs_to_step
from jobs.engine.steps import step_job
from jobs.models import Job, JobEvent
from jobs.reports.queries import report_of
from jobs.services import stop_job
from jobs.states import State
from rest.errors import Conflict, NotFound
from tenants.models import Tenant
from tenants.scope import tenant_scope
from tests.adapters.reported import end, loss, report
from tests.locks import wait_until_somebody_waits_for_a_lock

SAVED = ("checkpoint", {"step": 50})


@pytest.fixture
def start(tenant: Tenant, base_model: BaseModel, make_dataset: Callable[..., DatasetVersion]) -> Callable[..., Any]:
    def call(**overrides: Any) -> TrainingRun:
        return start_training(
            tenant=tenant,
            adapter_name="boxes",
            dataset_version=DatasetVersion.objects.first() or make_dataset(),
            base_model=base_model,
            recipe="structured",
            overrides=overrides,
        )

    return call


@pytest.fixture
def stopped(in_tenant: Tenant, start: Callable[..., TrainingRun]) -> TrainingRun:
    """Stopped after its checkpoint at step 50."""
    run = start()
    report(run, loss(10, 3.0), loss(50, 2.0), SAVED)
    end(run, State.STOPPED)
    return run


@pytest.mark.slow
def test_a_stopped_training_is_taken_up_where_it_was(
    tenant: Tenant, start: Callable[..., TrainingRun], run_jobs: Callable[..., None]
) -> None:
    with tenant_scope(tenant.id):
        run = start(rank=4, epochs=20, batch_size=1)
    deadline = time.monotonic() + 90
    while True:
        for job_id in jobs_to_step():
            step_job(job_id)
        with tenant_scope(tenant.id):
            Job.objects.active().update(due_at=timezone.now() - dt.timedelta(hours=1))
            if JobEvent.objects.filter(job=run.job_id, type="metric").exists():
                break
        assert time.monotonic() < deadline, "the training reported nothing"
        time.sleep(0.1)
    with tenant_scope(tenant.id):
        stop_job(job_id=run.job_id)
    run_jobs()
    with tenant_scope(tenant.id):
        assert Job.objects.get(id=run.job_id).state == State.STOPPED
        step = last_checkpoint(run)
        assert step
        resumed = resume_training(run_id=run.id)
    run_jobs()
    with tenant_scope(tenant.id):
        job = Job.objects.get(id=resumed.job_id)
        assert job.state == State.SUCCEEDED, job.error_text
        assert f"Resuming from step {step}." in [event.data.get("text") for event in report_of(job).log]
        steps = [point["step"] for point in curve_of(resumed, report_of(job))]
        assert steps[0] < step < steps[-1]
        version = AdapterVersion.objects.get()
        assert (version.run, version.metrics["steps"]) == (resumed, 480.0)


def test_the_new_run_is_the_same_work_on_the_same_checkpoint(stopped: TrainingRun) -> None:
    resumed = resume_training(run_id=stopped.id)
    for name in ("adapter", "dataset_version", "recipe", "hyperparameters"):
        assert getattr(resumed, name) == getattr(stopped, name)
    assert resumed.resumed_from == stopped
    assert checkpoint_key(resumed.job) == checkpoint_key(stopped.job) == str(stopped.job_id)
    end(resumed, State.FAILED)
    again = resume_training(run_id=resumed.id)
    assert checkpoint_key(again.job) == str(stopped.job_id)
    assert [point["step"] for point in curve_of(again, report_of(again.job))] == [10, 50]


def test_only_one_run_takes_it_up(stopped: TrainingRun) -> None:
    resume_training(run_id=stopped.id)
    with pytest.raises(Conflict) as refused:
        resume_training(run_id=stopped.id)
    assert refused.value.code == "training:already_resumed"
    assert TrainingRun.objects.count() == 2


@pytest.mark.parametrize("state", [State.QUEUED, State.RUNNING, State.STOPPING, State.SUCCEEDED])
def test_a_run_that_did_not_break_off_is_not_resumed(stopped: TrainingRun, state: State) -> None:
    end(stopped, state)
    with pytest.raises(Conflict) as caught:
        resume_training(run_id=stopped.id)
    assert caught.value.code == "training:not_resumable"


def test_without_a_checkpoint_it_says_to_clone(stopped: TrainingRun) -> None:
    JobEvent.objects.filter(type="checkpoint").delete()
    with pytest.raises(Conflict, match="Clone it") as caught:
        resume_training(run_id=stopped.id)
    assert caught.value.code == "training:no_checkpoint"


def test_a_checkpoint_that_was_cleared_away_is_gone(stopped: TrainingRun) -> None:
    Job.objects.update(run_discarded=True)
    with pytest.raises(Conflict) as caught:
        resume_training(run_id=stopped.id)
    assert caught.value.code == "training:checkpoint_gone"


def test_another_tenants_run_is_none(stopped: TrainingRun, other_tenant: Tenant) -> None:
    with tenant_scope(other_tenant.id), transaction.atomic(), pytest.raises(NotFound):
        resume_training(run_id=stopped.id)


def test_clearing_away_leaves_a_checkpoint_that_was_taken_up(
    tenant: Tenant, stopped: TrainingRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    discarded: list[str] = []
    monkeypatch.setattr(
        type(compute["default"]), "discard", lambda self, name, *, checkpoint_key="": discarded.append(checkpoint_key)
    )
    resumed = resume_training(run_id=stopped.id)
    old = timezone.now() - dt.timedelta(days=1)
    Job.objects.filter(id=stopped.job_id).update(external_name="training-1", finished_at=old)
    discard_leftovers()
    assert discarded == [""]
    end(resumed, State.SUCCEEDED)
    Job.objects.filter(id=resumed.job_id).update(external_name="training-2", finished_at=old)
    discard_leftovers()
    assert discarded == ["", str(stopped.job_id)]


def ended_long_ago(run: TrainingRun) -> None:
    old = timezone.now() - dt.timedelta(days=1)
    Job.objects.filter(id=run.job_id).update(external_name="training-1", finished_at=old)


def test_a_run_whose_checkpoint_is_being_cleared_away_is_not_resumed(
    stopped: TrainingRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused: list[str] = []

    def resume_meanwhile(self: ComputeBackend, name: str, *, checkpoint_key: str = "") -> None:
        assert checkpoint_key
        with transaction.atomic(), pytest.raises(Conflict) as caught:
            resume_training(run_id=stopped.id)
        refused.append(caught.value.code)

    monkeypatch.setattr(type(compute["default"]), "discard", resume_meanwhile)
    ended_long_ago(stopped)
    assert discard_leftovers() == 1
    assert refused == ["training:checkpoint_gone"]


@pytest.mark.django_db(transaction=True)
def test_clearing_away_waits_for_a_resumption_that_is_being_written(
    stopped: TrainingRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    discarded: list[str] = []
    monkeypatch.setattr(
        type(compute["default"]), "discard", lambda self, name, *, checkpoint_key="": discarded.append(checkpoint_key)
    )
    ended_long_ago(stopped)

    def discard() -> None:
        try:
            discard_leftovers()
        finally:
            connection.close()

    with transaction.atomic():
        resume_training(run_id=stopped.id)
        thread = threading.Thread(target=discard)
        thread.start()
        wait_until_somebody_waits_for_a_lock()
        assert discarded == []
    thread.join()
    assert discarded == [""], "the run's own folder goes, the checkpoint stays"
