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

from jobs.backends.local import LocalCompute
from jobs.models import Job, JobEvent
from jobs.services import stop_job
from jobs.states import State
from portal.embedded.valkey import Valkey
from tenants.scope import tenant_scope
from tests.jobs.worker import Worker

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(300), pytest.mark.slow]

SECONDS = 120.0
LEASE_SECONDS = LocalCompute.options["LEASE_SECONDS"]


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

    def hang(self, seconds: float = 7) -> None:
        """By default longer than the clients' socket time-out."""
        os.kill(self.pid, signal.SIGSTOP)
        time.sleep(seconds)
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


def attempt_reports(job: Job) -> bool:
    with tenant_scope(job.tenant_id):
        return JobEvent.objects.filter(job=job, attempt=job.attempt, type="metric").exists()


@dataclass
class Watch:
    """A job on a worker of its own, started again if it gave up."""

    job: Job
    folder: Path
    look: Callable[[], None]

    def until(self, reached: Callable[[Job], bool]) -> Job:
        deadline = time.monotonic() + SECONDS
        while not reached(now := reload(self.job)):
            assert time.monotonic() < deadline, (self.folder / "worker.log").read_text()[-4000:]
            self.look()
            time.sleep(0.1)
        return now

    def until_news(self) -> Job:
        known = reload(self.job).furthest_step
        return self.until(lambda job: job.furthest_step > known)

    def until_heartbeat(self) -> None:
        path = self.folder / "heartbeat"
        heard = path.stat().st_mtime
        self.until(lambda job: path.stat().st_mtime > heard)


@pytest.fixture
def watch(broker: Broker, start_toy: Callable[..., Job], tmp_path: Path) -> Iterator[Watch]:
    job = start_toy(steps=5000, seconds_per_step=0.05)
    env = {"REDIS_URL": broker.server.url(), "HEARTBEAT_FILE": str(tmp_path / "heartbeat")}
    with supervised(Worker(tmp_path, "tests.jobs.toy_kind", **env)) as look:
        watch = Watch(job, tmp_path, look)
        watch.until_news()
        yield watch
        with tenant_scope(job.tenant_id):
            stop_job(job_id=job.id)
        assert watch.until(lambda job: job.is_terminal).state == State.STOPPED


def test_a_job_goes_on_after_each(broker: Broker, watch: Watch) -> None:
    for trouble in (broker.flush, broker.die, broker.hang):
        trouble()
        watch.until_news()
        watch.until_heartbeat()
    assert reload(watch.job).attempt == 1, "no trouble was long enough to cost the run its lease"


def test_a_broker_that_hangs_longer_than_a_run_waits_costs_the_run_and_not_the_job(
    broker: Broker, watch: Watch
) -> None:
    before = reload(watch.job).furthest_step
    broker.hang(seconds=LEASE_SECONDS + 10)
    job = watch.until(lambda job: job.attempt == 2 and attempt_reports(job))
    with tenant_scope(job.tenant_id):
        steps = JobEvent.objects.filter(job=job, attempt=2, type="metric").values_list("data__step", flat=True)
        assert min(steps) > before, "the second attempt went on from the checkpoint"
