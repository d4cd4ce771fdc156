"""Nobody notices a broker that is away: the row is written, and the reconciler finds it later."""

import socket
import time
from collections.abc import Callable, Iterator

import kombu.pools
import pytest
from celery import current_app

from jobs.engine.reconciler import jobs_to_step
from jobs.models import Job
from jobs.states import State

pytestmark = pytest.mark.django_db(transaction=True)

LONGEST_WAIT_SECONDS = 20.0


def forget_connections() -> None:
    kombu.pools.reset()
    # Celery has no public way to forget a broker that it has once connected to.
    current_app._pool = None  # type: ignore[attr-defined]
    current_app.amqp._producer_pool = None  # type: ignore[attr-defined]


@pytest.fixture
def broker_at(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[int], None]]:
    def use(port: int) -> None:
        monkeypatch.setattr(current_app.conf, "broker_url", f"redis://127.0.0.1:{port}/0")
        monkeypatch.setattr(current_app.conf, "broker_write_url", f"redis://127.0.0.1:{port}/0")
        forget_connections()

    yield use
    monkeypatch.undo()
    forget_connections()


@pytest.mark.parametrize("listens", [False, True], ids=["refuses", "hangs"])
def test_a_job_is_started_all_the_same(
    broker_at: Callable[[int], None], start_toy: Callable[..., Job], listens: bool
) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        if listens:
            silent.listen()
        broker_at(silent.getsockname()[1])
        started = time.monotonic()
        job = start_toy()
        assert time.monotonic() - started < LONGEST_WAIT_SECONDS
    assert job.state == State.QUEUED
    assert jobs_to_step() == [job.id]
