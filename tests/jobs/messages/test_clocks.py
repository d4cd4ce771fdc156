"""No clock of one machine is compared with another's, and a worker that drops messages says so."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import structlog
from celery import current_app
from celery.signals import before_task_publish
from django.conf import settings
from django.core.cache import cache

from jobs.messages.validity import HEADER, Drops, valid_for
from jobs.models import Job
from jobs.states import State
from tenants.scope import tenant_scope
from tests.jobs.worker import Worker


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.django_db(transaction=True)
def test_a_worker_whose_clock_is_ahead_does_its_work(start_toy: Callable[..., Job], tmp_path: Path) -> None:
    cache.clear()
    job = start_toy()
    worker = Worker(tmp_path, "tests.jobs.toy_kind", "tests.jobs.clock_ahead")
    worker.start()
    try:
        deadline = time.monotonic() + 120
        while not _reload(job).is_terminal:
            assert time.monotonic() < deadline, (tmp_path / "worker.log").read_text()[-4000:]
            time.sleep(0.2)
    finally:
        worker.kill()
    assert _reload(job).state == State.SUCCEEDED


def _reload(job: Job) -> Job:
    with tenant_scope(job.tenant_id):
        return Job.objects.get(id=job.id)


def test_no_message_that_is_sent_again_and_again_expires_by_a_clock() -> None:
    for name, entry in settings.CELERY_BEAT_SCHEDULE.items():
        options: Any = entry["options"]
        assert "expires" not in options, name
        assert options["headers"][HEADER] > 0, name


@pytest.fixture
def ran() -> list[int]:
    """What a task was called with; it is run in this process as a worker runs it."""
    cache.clear()
    return []


def delivered(ran: list[int], *, wait: float = 0.0) -> None:
    """Leave the key of a message as its sender does, then run the task as its worker does."""

    @current_app.task(name=f"tests.append.{len(ran)}.{wait}")
    def append(number: int) -> None:
        ran.append(number)

    headers = {"id": f"m{wait}", **valid_for(1)["headers"]}
    before_task_publish.send(sender=append.name, headers=headers)
    time.sleep(wait)
    append.push_request(id=headers["id"], valid_seconds=1)
    try:
        append(1)
    finally:
        append.pop_request()


def test_a_message_in_time_is_followed(ran: list[int]) -> None:
    delivered(ran)
    assert ran == [1]


def test_a_message_that_waited_too_long_is_dropped_with_a_word(ran: list[int]) -> None:
    with structlog.testing.capture_logs() as logs:
        delivered(ran, wait=1.5)
    assert ran == []
    assert [entry["event"] for entry in logs] in ([], ["messages_dropped"])


def test_thousands_of_drops_are_one_line() -> None:
    drops = Drops()
    with structlog.testing.capture_logs() as logs:
        for _ in range(1000):
            drops.add("jobs.step", "it waited")
    [entry] = logs
    assert (entry["event"], entry["log_level"], entry["task"]) == ("messages_dropped", "warning", "jobs.step")
