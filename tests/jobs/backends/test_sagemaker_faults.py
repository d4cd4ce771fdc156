"""AWS throttles, answers get lost, S3 is cut: every job ends well, and none was ever started twice."""

import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import botocore.endpoint
import pytest
from structlog.testing import capture_logs

from jobs.backends import compute
from jobs.backends.base import ComputeSpec
from jobs.backends.sagemaker import SageMakerCompute
from jobs.backends.sagemaker.errors import NOT_SET_UP
from jobs.engine.reconciler import jobs_to_step
from jobs.engine.steps import step_job
from jobs.models import Job
from jobs.services import stop_job
from jobs.states import State
from lorakit.contracts import RunResult
from standin.container import Container
from standin.server import StandIn
from tenants.models import Tenant
from tenants.scope import system_scope, tenant_scope
from tests.jobs.conftest import ToyKind
from tests.standin.deployment import backend, running_standin

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

JOBS = 100


class QuickContainer(Container):
    """Has done its work at once: a hundred jobs are about the calls, not about a hundred interpreters."""

    def start(self) -> None:
        (self.ml / "model" / "sum.txt").write_text("1")
        (self.ml / "output" / "data" / "result.json").write_text(RunResult(ok=True, metrics={"first": 0.0}).to_json())
        self._process = subprocess.Popen(["true"])
        self._process.wait()


@pytest.fixture
def standin(tmp_path: Path) -> Iterator[StandIn]:
    with running_standin(tmp_path / "containers") as standin:
        yield standin


@pytest.fixture
def sagemaker(standin: StandIn, monkeypatch: pytest.MonkeyPatch) -> SageMakerCompute:
    sagemaker = backend(standin)
    monkeypatch.setitem(compute.built, "default", sagemaker)
    return sagemaker


def step_all() -> None:
    for job_id in jobs_to_step():
        step_job(job_id)


def make_due(job: Job) -> Job:
    with tenant_scope(job.tenant_id):
        Job.objects.active().update(due_at=job.created_at)
        return Job.objects.get(id=job.id)


def step_until(job: Job, reached: Callable[[Job], bool], seconds: float = 60.0) -> Job:
    deadline = time.monotonic() + seconds
    while not reached(now := make_due(job)):
        assert time.monotonic() < deadline, f"still {now.state}, {now.phase!r}, {now.error_code!r}"
        step_all()
        time.sleep(0.05)
    return now


def test_a_hundred_jobs_survive_throttling_and_lost_answers(
    start_toy: Callable[..., Job],
    toy: ToyKind,
    tenant: Tenant,
    tmp_path: Path,
    run_jobs: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # botocore's own patience between its tries would make this a test of minutes.
    monkeypatch.setattr(botocore.endpoint, "time", SimpleNamespace(sleep=lambda seconds: None, time=time.time))
    with system_scope():
        assert Tenant.objects.filter(id=tenant.id).update(max_running_jobs=JOBS) == 1
    with running_standin(tmp_path, container=QuickContainer) as standin:
        monkeypatch.setitem(compute.built, "default", backend(standin, MAX_RUNNING=JOBS))
        standin.faults.throttled, standin.faults.answers_lost = 0.30, 0.05
        jobs = [start_toy(steps=1) for _ in range(JOBS)]
        run_jobs(seconds=240)
    with tenant_scope(tenant.id):
        ended = list(Job.objects.filter(id__in=[job.id for job in jobs]))
    assert {(job.state, job.attempt, job.error_text) for job in ended} == {(State.SUCCEEDED, 1, "")}
    assert len(toy.ended) == JOBS
    assert list(standin.training.created.values()) == [1] * JOBS
    assert standin.faults.count["throttled"] > JOBS
    assert standin.faults.count["answers_lost"] > JOBS / 10


def test_s3_that_is_cut_keeps_a_job_waiting_until_it_is_back(
    start_toy: Callable[..., Job], toy: ToyKind, standin: StandIn, sagemaker: SageMakerCompute
) -> None:
    standin.faults.away.add("s3")
    job = step_until(start_toy(steps=1), lambda job: bool(job.error_text))
    assert (job.state, job.error_code, job.attempt) == (State.RUNNING, "platform:aws_unreachable", 1)
    assert not standin.training.created
    standin.faults.away.clear()
    job = step_until(job, lambda job: bool(standin.training.created))
    standin.faults.away.add("s3")
    job = step_until(job, lambda job: bool(job.error_text))
    assert job.state == State.RUNNING, "its result cannot be read yet, and nothing is lost"
    standin.faults.away.clear()
    job = step_until(job, lambda job: job.is_terminal)
    assert (job.state, job.attempt, job.error_text) == (State.SUCCEEDED, 1, "")
    assert list(standin.training.created.values()) == [1]


def test_a_stop_that_does_not_reach_aws_is_asked_for_again(
    start_toy: Callable[..., Job], toy: ToyKind, tenant: Tenant, standin: StandIn, sagemaker: SageMakerCompute
) -> None:
    job = step_until(start_toy(steps=1000, seconds_per_step=0.05), lambda job: job.fraction > 0)
    standin.faults.away.add("sagemaker")
    with tenant_scope(tenant.id):
        stop_job(job_id=job.id)
    job = step_until(job, lambda job: bool(job.error_text))
    assert job.state == State.STOPPING, "the job is not given up while its run may cost money"
    standin.faults.away.clear()
    assert step_until(job, lambda job: job.is_terminal).state == State.STOPPED
    assert [made.status for made in standin.training.jobs.values()] == ["Stopped"]


@pytest.mark.parametrize("service", ["sagemaker", "logs"])
def test_a_right_that_is_taken_away_does_not_give_up_a_run(
    start_toy: Callable[..., Job], toy: ToyKind, standin: StandIn, sagemaker: SageMakerCompute, service: str
) -> None:
    job = step_until(start_toy(steps=40, seconds_per_step=0.05), lambda job: job.fraction > 0)
    standin.faults.denied.add(service)
    with capture_logs() as logs:
        job = step_until(job, lambda job: bool(job.error_text))
    assert (job.state, job.error_code, job.error_text) == (State.RUNNING, "platform:aws_denied", NOT_SET_UP)
    assert "docs/sagemaker.md" in details(logs)
    standin.faults.denied.clear()
    job = step_until(job, lambda job: job.is_terminal)
    assert (job.state, job.attempt, job.error_text) == (State.SUCCEEDED, 1, "")


def test_a_bucket_that_may_not_be_used_ends_the_job_with_advice(
    start_toy: Callable[..., Job], toy: ToyKind, standin: StandIn, sagemaker: SageMakerCompute
) -> None:
    standin.faults.denied.add("s3")
    job = step_until(start_toy(steps=1), lambda job: job.is_terminal)
    assert (job.state, job.error_code) == (State.FAILED, "platform:aws_denied")
    assert not standin.training.created


def test_a_run_that_is_stopped_in_aws_ends_its_job_with_advice(
    start_toy: Callable[..., Job], toy: ToyKind, standin: StandIn, sagemaker: SageMakerCompute
) -> None:
    job = step_until(start_toy(steps=1000, seconds_per_step=0.05), lambda job: job.fraction > 0)
    sagemaker._sagemaker.stop_training_job(TrainingJobName=job.external_name)
    job = step_until(job, lambda job: job.is_terminal)
    assert (job.state, job.error_code, job.attempt) == (State.FAILED, "run:stopped_elsewhere", 1)
    assert [made.status for made in standin.training.jobs.values()] == ["Stopped"]


def test_a_job_waits_for_room_in_the_quota(
    start_toy: Callable[..., Job], toy: ToyKind, standin: StandIn, sagemaker: SageMakerCompute
) -> None:
    standin.training.limits["ml.g6e.xlarge"] = 0
    job = step_until(start_toy(steps=1), lambda job: bool(job.error_text))
    assert (job.state, job.error_code) == (State.RUNNING, "platform:aws_quota")
    standin.training.limits.clear()
    job = step_until(job, lambda job: job.is_terminal)
    assert (job.state, job.attempt) == (State.SUCCEEDED, 1)


def test_a_base_model_that_is_not_in_s3_ends_the_job_with_advice(
    start_toy: Callable[..., Job], toy: ToyKind, sagemaker: SageMakerCompute, monkeypatch: pytest.MonkeyPatch
) -> None:
    def prepare(job: Job) -> ComputeSpec:
        return ComputeSpec(module="tests.jobs.toy_run", spec={"base_model": "/somewhere"})

    monkeypatch.setattr(toy, "prepare", prepare)
    with capture_logs() as logs:
        job = step_until(start_toy(), lambda job: job.is_terminal)
    assert (job.state, job.error_code) == (State.FAILED, "platform:base_model_not_in_s3")
    assert job.error_text == NOT_SET_UP
    assert "give the copy as its location for SageMaker" in details(logs)


def details(logs: list[Any]) -> str:
    return "".join(log["detail"] for log in logs if log["event"] == "training_service_not_set_up")


def test_runs_carry_the_tags_of_their_job(
    start_toy: Callable[..., Job], toy: ToyKind, standin: StandIn, sagemaker: SageMakerCompute
) -> None:
    job = step_until(start_toy(steps=1), lambda job: job.is_terminal)
    made = standin.training.jobs[job.external_name]
    tags: dict[str, Any] = {tag["Key"]: tag["Value"] for tag in made.request["Tags"]}
    assert tags == {"tenant": str(job.tenant_id), "job": str(job.id), "attempt": "1", "kind": "toy"}
