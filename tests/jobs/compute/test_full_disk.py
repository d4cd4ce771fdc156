"""A full disk makes a job wait with a text that says why; it goes on by itself when there is room."""

import errno
import os
import shutil
import time
from collections import namedtuple
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import pytest
from django.utils import timezone

from jobs.backends.local import LocalCompute
from jobs.engine.reconciler import jobs_to_step
from jobs.engine.steps import step_job
from jobs.models import Job
from jobs.states import State
from lorakit.disk import DISK_FULL, is_disk_full
from tenants.scope import tenant_scope
from tests.jobs.conftest import ToyKind

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

Usage = namedtuple("Usage", "total used free")


def reload(job: Job) -> Job:
    with tenant_scope(job.tenant_id):
        return Job.objects.get(id=job.id)


def step_until(job: Job, reached: Callable[[Job], bool]) -> Job:
    deadline = time.monotonic() + 60
    while not reached(now := reload(job)):
        assert time.monotonic() < deadline, f"still {now.state}, {now.error_code!r}"
        step_once(job)
        time.sleep(0.05)
    return now


def step_once(job: Job) -> None:
    with tenant_scope(job.tenant_id):
        Job.objects.active().update(due_at=timezone.now())
    for job_id in jobs_to_step():
        step_job(job_id)


def no_space(*args: Any, **kwargs: Any) -> NoReturn:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def waits_for_room(job: Job) -> bool:
    return (job.state, job.error_code) == (State.RUNNING, DISK_FULL.code)


def test_a_run_that_finds_no_room_is_begun_again_once_there_is_some(
    start_toy: Callable[..., Job], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = start_toy(room=str(tmp_path / "room"))
    step_until(job, waits_for_room)
    with monkeypatch.context() as full:
        full.setattr(shutil, "disk_usage", lambda folder: Usage(1, 1, 0))
        for _ in range(8):
            step_once(job)
        assert waits_for_room(reload(job))
        assert reload(job).attempt == 2, "waiting for room uses up no attempts"
        assert reload(job).error_text == DISK_FULL.text
    (tmp_path / "room").touch()
    job = step_until(job, lambda job: job.is_terminal)
    assert (job.state, job.attempt, job.error_text) == (State.SUCCEEDED, 2, "")


@pytest.mark.parametrize("part", ["before it is submitted", "when its output is collected"])
def test_a_portal_that_finds_no_room_waits_with_the_same_run(
    start_toy: Callable[..., Job], toy: ToyKind, monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    with monkeypatch.context() as full:
        if part == "before it is submitted":
            full.setattr(LocalCompute, "_prepare", no_space)
        else:
            full.setattr(toy, "collect", no_space)
        job = start_toy()
        step_until(job, waits_for_room)
        for _ in range(8):
            step_once(job)
        assert waits_for_room(reload(job))
    job = step_until(job, lambda job: job.is_terminal)
    assert (job.state, job.attempt, job.error_text) == (State.SUCCEEDED, 1, "")


def test_a_run_that_could_not_write_down_its_end_is_not_called_lost(
    start_toy: Callable[..., Job], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as full:
        job = start_toy(dies_after=1)
        step_until(job, lambda job: job.phase == "starting")
        full.setattr(shutil, "disk_usage", lambda folder: Usage(1, 1, 0))
        step_until(job, waits_for_room)
        assert reload(job).attempt == 1
    assert step_until(job, lambda job: job.is_terminal).state == State.SUCCEEDED


def test_an_error_that_does_not_say_so_is_known_by_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    of_torch = RuntimeError("[enforce fail at inline_container.cc:672] . unexpected pos 576 vs 534")
    assert not is_disk_full(of_torch, tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: Usage(1, 1, 0))
    assert is_disk_full(of_torch, tmp_path)
