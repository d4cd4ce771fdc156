"""The broker is flushed, killed and hung in the middle of a job: it is stepped again each time, and ends."""

import os
import secrets
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import redis

from jobs.models import Job
from jobs.services import stop_job
from jobs.states import State
from portal.embedded.valkey import Valkey
from tenants.scope import tenant_scope
from tests.jobs.worker import Worker

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(240)]

SECONDS = 60.0


@dataclass
class Broker:
    """A Valkey of this test's own, so that no other test is hit."""

    server: Valkey

    @property
    def pid(self) -> int:
        assert self.server._process is not None
        return self.server._process.pid

    def flush(self) -> None:
        redis.Redis.from_url(self.server.url()).flushall()

    def die(self) -> None:
        os.kill(self.pid, signal.SIGKILL)
        time.sleep(2)
        self.server.start(preferred_port=self.server.port, only_there=True)

    def hang(self) -> None:
        os.kill(self.pid, signal.SIGSTOP)
        # Longer than the clients' socket time-out.
        time.sleep(7)
        os.kill(self.pid, signal.SIGCONT)


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    server = Valkey(tmp_path / "valkey", tmp_path / "valkey.log", secrets.token_hex(16), durable=False)
    server.start(preferred_port=None)
    yield Broker(server)
    server.stop()


@contextmanager
def supervised(worker: Worker) -> Iterator[Callable[[], None]]:
    """The worker, started; what is given starts it again if it gave up, as the site's supervisor would."""

    def look() -> None:
        if worker.ended:
            worker.start()

    look()
    try:
        yield look
    finally:
        worker.kill()


def reload(job: Job) -> Job:
    with tenant_scope(job.tenant_id):
        return Job.objects.get(id=job.id)


def test_a_job_goes_on_after_each(broker: Broker, start_toy: Callable[..., Job], tmp_path: Path) -> None:
    job = start_toy(steps=2000, seconds_per_step=0.05)

    heartbeat = tmp_path / "heartbeat"
    env = {"REDIS_URL": broker.server.url(), "HEARTBEAT_FILE": str(heartbeat)}
    with supervised(Worker(tmp_path, "tests.jobs.toy_kind", **env)) as look:

        def wait_until(reached: Callable[[Job], bool]) -> None:
            deadline = time.monotonic() + SECONDS
            while not reached(reload(job)):
                assert time.monotonic() < deadline, (tmp_path / "worker.log").read_text()[-4000:]
                look()
                time.sleep(0.1)

        def wait_for_news() -> None:
            known = reload(job).furthest_step
            wait_until(lambda job: job.furthest_step > known)

        wait_for_news()
        for trouble in (broker.flush, broker.die, broker.hang):
            trouble()
            wait_for_news()
            heard = heartbeat.stat().st_mtime
            wait_until(lambda job, heard=heard: heartbeat.stat().st_mtime > heard)
        with tenant_scope(job.tenant_id):
            stop_job(job_id=job.id)
        wait_until(lambda job: job.is_terminal)
    ended = reload(job)
    assert (ended.state, ended.attempt) == (State.STOPPED, 1), "no trouble was long enough to cost the run its lease"
