"""What a backend refuses: a stop is asked for again, a result fetched again, and what lost attempts left can wait."""

import errno
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import pytest
from django.conf import settings

from jobs.backends.base import ComputeError
from jobs.backends.local import LocalCompute
from jobs.models import Job
from jobs.services import stop_job
from jobs.states import State
from lorakit.disk import DISK_FULL
from tenants.scope import tenant_scope
from tests.jobs.compute.test_full_disk import reload, step_once, step_until
from tests.jobs.conftest import ToyKind

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

DENIED = ComputeError("platform:aws_denied", "AWS refused it.", temporary=False)
DAMAGED = ComputeError("platform:artifact_damaged", "It arrived damaged.", temporary=True)


def refusing(error: Exception) -> Callable[..., NoReturn]:
    def refuse(*args: Any, **kwargs: Any) -> NoReturn:
        raise error

    return refuse


def stop(job: Job) -> None:
    with tenant_scope(job.tenant_id):
        stop_job(job_id=job.id)


@pytest.mark.parametrize(
    ("refusal", "text"),
    [(DENIED, DENIED.text), (OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), DISK_FULL.text)],
    ids=["denied", "disk full"],
)
def test_a_stop_that_is_refused_waits_and_is_asked_for_again(
    toy: ToyKind, start_toy: Callable[..., Job], monkeypatch: pytest.MonkeyPatch, refusal: Exception, text: str
) -> None:
    monkeypatch.setattr(toy, "max_attempts", 2)
    job = start_toy(steps=1000, seconds_per_step=0.05)
    step_until(job, lambda job: job.fraction > 0)
    stop(job)
    with monkeypatch.context() as refused:
        refused.setattr(LocalCompute, "cancel", refusing(refusal))
        for _ in range(4):
            step_once(job)
        assert (reload(job).state, reload(job).error_text) == (State.STOPPING, text)
    job = step_until(job, lambda job: job.is_terminal)
    assert (job.state, job.error_text) == (State.STOPPED, "")


def test_a_run_that_is_lost_while_it_is_stopped_costs_its_seconds(start_toy: Callable[..., Job]) -> None:
    job = start_toy(steps=1000, seconds_per_step=0.05)
    step_until(job, lambda job: job.fraction > 0)
    run = Path(settings.COMPUTE["default"]["OPTIONS"]["ROOT"]) / reload(job).external_name
    os.kill(int((run / "pid").read_text()), signal.SIGKILL)
    stop(job)
    job = step_until(job, lambda job: job.is_terminal)
    assert (job.state, job.billed_attempt) == (State.STOPPED, 1)
    assert job.billable_seconds > 0


def test_a_job_goes_on_though_what_its_lost_attempt_left_cannot_be_deleted(
    start_toy: Callable[..., Job], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(LocalCompute, "discard", refusing(DENIED))
    job = start_toy(steps=2, dies_after=1)
    job = step_until(job, lambda job: job.is_terminal)
    assert (job.state, job.attempt, job.error_text) == (State.SUCCEEDED, 2, "")


def test_a_result_that_arrives_damaged_is_fetched_again_and_not_made_again(
    toy: ToyKind, start_toy: Callable[..., Job], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as damaged:
        damaged.setattr(LocalCompute, "fetch", refusing(DAMAGED))
        job = start_toy(steps=1)
        job = step_until(job, lambda job: job.phase == "retrying")
        assert (job.state, job.attempt) == (State.RUNNING, 1)
        assert (job.error_code, job.error_text) == (DAMAGED.code, "It arrived damaged. We will try again.")
    job = step_until(job, lambda job: job.is_terminal)
    assert (job.state, job.attempt, job.error_code, job.error_text) == (State.SUCCEEDED, 1, "", "")


def test_a_job_that_is_given_up_does_not_promise_another_try(
    toy: ToyKind, start_toy: Callable[..., Job], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(toy, "max_attempts", 2)
    monkeypatch.setattr(LocalCompute, "fetch", refusing(DAMAGED))
    job = step_until(start_toy(steps=1), lambda job: job.is_terminal)
    assert (job.state, job.attempt, job.error_code) == (State.FAILED, 1, DAMAGED.code)
    assert job.error_text == "It arrived damaged. We tried 2 times. Try again later."


def test_a_job_says_why_it_is_tried_again_until_it_moves(
    toy: ToyKind, start_toy: Callable[..., Job], monkeypatch: pytest.MonkeyPatch
) -> None:
    job = start_toy(steps=1000, seconds_per_step=0.05)
    step_until(job, lambda job: job.fraction > 0)
    with monkeypatch.context() as broken:
        broken.setattr(toy, "step", refusing(ZeroDivisionError()))
        step_once(job)
        assert (reload(job).error_code, reload(job).state) == ("platform:unexpected", State.RUNNING)
        assert reload(job).error_text.endswith("We will try again.")
    step_once(job)
    assert (reload(job).error_code, reload(job).error_text) == ("", "")
    stop(job)
    step_until(job, lambda job: job.is_terminal)
