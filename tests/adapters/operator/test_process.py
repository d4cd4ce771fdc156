"""The process that adds a base model: started for real, killed, replaced, and ended when it is stopped."""

import datetime as dt
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.utils import timezone

from adapters.models import BaseModel, BaseModelWork, WorkState
from adapters.operator import lease, starting
from adapters.operator.lease import held
from adapters.operator.services import start_addition, stop_work
from adapters.operator.starting import start_due
from tenants.models import User

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

SECONDS = 60.0


@pytest.fixture
def processes(site: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Those that were started, with the site's folder; none outlives the test."""
    started: list[subprocess.Popen[bytes]] = []
    monkeypatch.setenv("PORTAL_VAR", str(site.parent))
    popen = subprocess.Popen

    def kept(*args: Any, **options: Any) -> subprocess.Popen[bytes]:
        process = popen(*args, **options)
        started.append(process)
        return process

    monkeypatch.setattr("adapters.operator.starting.subprocess.Popen", kept)
    yield started
    for process in started:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def until(work: BaseModelWork, reached: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SECONDS
    while not reached():
        assert time.monotonic() < deadline, (work.state, work.doing, work.error_text)
        time.sleep(0.1)
        work.refresh_from_db()


def test_one_is_added_by_a_process_of_its_own(
    uploaded: Path, olga: User, processes: list[subprocess.Popen[bytes]]
) -> None:
    work = start_addition(source="uploaded", name="small", facts={"title": "Small"}, started_by=olga)
    start_due()
    until(work, lambda: work.state == WorkState.DONE)
    assert (work.base_model, work.tries) == (BaseModel.objects.get(name="small"), 1)
    assert BaseModel.objects.get().checked_at is not None
    assert processes[0].wait(SECONDS) == 0


def test_a_process_without_a_turn_does_nothing(uploaded: Path, olga: User) -> None:
    work = start_addition(source="uploaded", name="small", facts={}, started_by=olga)
    call_command("base_model_work", str(work.id), "7")
    work.refresh_from_db()
    assert (work.state, BaseModel.objects.exists()) == (WorkState.WAITING, False)


def test_whoever_loses_the_lease_is_told(site: Path, olga: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease, "RENEWED_EVERY_SECONDS", 0.05)
    monkeypatch.setattr(starting, "_spawn", lambda work: None)
    work = start_addition(source="hf://maker/small", name="small", facts={}, started_by=olga)
    start_due()
    work.refresh_from_db()
    lost: list[str] = []
    with held(work, lost=lambda: lost.append("lost")):
        (site / ".small").mkdir()
        (site / ".small" / "weights").write_bytes(b"12345")
        shown = BaseModelWork.objects.get()
        until(shown, lambda: shown.bytes_done == 5)
        assert lost == []
        stop_work(work=BaseModelWork.objects.get())
        until(shown, lambda: lost == ["lost"])


def test_a_killed_process_is_replaced_and_a_stopped_one_ends(
    uploaded: Path, olga: User, processes: list[subprocess.Popen[bytes]]
) -> None:
    # A pipe among the weights: reading it waits until somebody writes.
    os.mkfifo(uploaded / "model-2.safetensors")
    work = start_addition(source="uploaded", name="small", facts={}, started_by=olga)
    start_due()
    until(work, lambda: work.doing == "Reading the files")
    os.killpg(processes[0].pid, signal.SIGKILL)
    processes[0].wait()
    start_due()
    assert len(processes) == 1, "its lease has not expired"
    BaseModelWork.objects.update(lease_expires_at=timezone.now() - dt.timedelta(seconds=1))
    start_due()
    until(work, lambda: work.tries == 2 and work.doing == "Reading the files")
    stop_work(work=work)
    assert processes[1].wait(SECONDS) == -signal.SIGKILL
    work.refresh_from_db()
    assert (work.state, BaseModel.objects.exists()) == (WorkState.STOPPED, False)
