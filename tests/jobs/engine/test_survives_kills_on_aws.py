"""kill -9 of the worker at random moments while AWS runs the jobs: none is lost, and none is started twice."""

import random
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from jobs.models import Job
from jobs.states import TERMINAL, State
from lorakit.contracts import RunResult
from standin.container import Container
from standin.server import REGION, StandIn
from tenants.models import Tenant
from tenants.scope import system_scope
from tests.jobs.worker import Worker
from tests.standin.deployment import CREDENTIALS, IMAGE, ROLE, running_standin

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(280), pytest.mark.slow]

BUCKET = "portal-kills"
JOBS = 20
KILLS = 5
SECONDS = 200.0


class SleepingContainer(Container):
    """Takes a second and leaves what the toy kind collects: the kills are about the calls."""

    def start(self) -> None:
        (self.ml / "model" / "sum.txt").write_text("1")
        (self.ml / "output" / "data" / "result.json").write_text(RunResult(ok=True, metrics={"first": 0.0}).to_json())
        self._process = subprocess.Popen(["sleep", "1"])


@pytest.fixture
def standin(tmp_path: Path) -> Iterator[StandIn]:
    with running_standin(tmp_path / "containers", container=SleepingContainer) as standin:
        standin.make_bucket(BUCKET)
        yield standin


@pytest.fixture
def worker(tmp_path: Path, standin: StandIn) -> Iterator[Worker]:
    settings = {
        "AWS_ENDPOINT_URL": standin.url,
        "AWS_REGION": REGION,
        "S3_BUCKET": BUCKET,
        "SAGEMAKER_ROLE_ARN": ROLE,
        "SAGEMAKER_IMAGE": IMAGE,
        "SAGEMAKER_POLL_SECONDS": "0.5",
        "SAGEMAKER_SLOTS": "4",
    }
    worker = Worker(tmp_path, "tests.jobs.toy_kind", **CREDENTIALS, **settings)
    yield worker
    worker.kill()


def ended() -> list[Job]:
    with system_scope():
        return list(Job.objects.filter(state__in=TERMINAL))


def test_no_job_is_lost_or_started_twice(
    standin: StandIn,
    worker: Worker,
    start_toy: Callable[..., Job],
    tenant: Tenant,
    other_tenant: Tenant,
) -> None:
    standin.faults.throttled, standin.faults.answers_lost = 0.10, 0.05
    chance = random.Random(5)
    for number in range(JOBS):
        start_toy((tenant, other_tenant)[number % 2])
    worker.start()
    deadline = time.monotonic() + SECONDS
    for kill in range(KILLS):
        # Killed among calls: not before this worker has made one.
        made = len(standin.training.created)
        while len(standin.training.created) == made:
            assert time.monotonic() < deadline, (worker.folder / "worker.log").read_text()[-4000:]
            assert made < JOBS, f"all jobs were started before kill {kill}"
            time.sleep(0.02)
        time.sleep(chance.uniform(0.0, 1.0))
        worker.kill()
        worker.start()
    while len(ended()) < JOBS:
        assert time.monotonic() < deadline, (worker.folder / "worker.log").read_text()[-4000:]
        time.sleep(0.1)
    assert {(job.state, job.attempt) for job in ended()} == {(State.SUCCEEDED, 1)}
    assert list(standin.training.created.values()) == [1] * JOBS
