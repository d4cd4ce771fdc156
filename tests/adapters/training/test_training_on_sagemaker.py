"""A training as the portal runs it on SageMaker: registered once, stopped, and resumed from S3."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.utils import timezone

from adapters.base_models.services import change_base_model
from adapters.models import AdapterVersion, BaseModel, TrainingRun
from adapters.training.kinds import TrainingKind
from adapters.training.services import resume_training, start_training
from corpora.models import DatasetVersion
from jobs.backends import compute
from jobs.backends.sagemaker import SageMakerCompute
from jobs.engine.reconciler import jobs_to_step
from jobs.engine.steps import step_job
from jobs.models import Job, JobEvent
from jobs.services import stop_job
from jobs.states import State
from standin.server import StandIn
from tenants.models import Tenant
from tests.standin.deployment import backend, running_standin

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

BASE = "s3://base-models/tiny/"


@pytest.fixture
def standin(tmp_path: Path) -> Iterator[StandIn]:
    with running_standin(tmp_path / "containers") as standin:
        standin.make_bucket("base-models")
        standin.put_folder(settings.BASE_MODEL_DIR, BASE)
        yield standin


@pytest.fixture
def sagemaker(standin: StandIn, monkeypatch: pytest.MonkeyPatch) -> SageMakerCompute:
    sagemaker = backend(standin, BASE_MODELS={str(settings.BASE_MODEL_DIR): BASE})
    monkeypatch.setitem(compute.built, "default", sagemaker)
    return sagemaker


@pytest.fixture
def start(in_tenant: Tenant, base_model: BaseModel, dataset_version: DatasetVersion) -> Callable[..., TrainingRun]:
    def call(**changes: Any) -> TrainingRun:
        return start_training(
            tenant=in_tenant,
            adapter_name="boxes",
            dataset_version=dataset_version,
            base_model=base_model,
            recipe="structured",
            overrides={"epochs": 1, "rank": 4, "batch_size": 8} | changes,
        )

    return call


def step_until(run: TrainingRun, reached: Callable[[Job], bool]) -> Job:
    deadline = time.monotonic() + 240
    while not reached(job := Job.objects.get(id=run.job_id)):
        assert time.monotonic() < deadline, (job.state, job.phase, job.error_text)
        Job.objects.active().update(due_at=timezone.now())
        for job_id in jobs_to_step():
            step_job(job_id)
        time.sleep(0.05)
    return job


def test_a_version_is_registered_once_though_its_end_is_written_twice(
    start: Callable[..., TrainingRun], sagemaker: SageMakerCompute, monkeypatch: pytest.MonkeyPatch
) -> None:
    ends: list[str] = []
    on_succeeded = TrainingKind.on_succeeded

    def breaks_the_first_time(kind: TrainingKind, job: Job) -> None:
        ends.append(job.result["registry_arn"])
        if len(ends) == 1:
            raise RuntimeError("the database went away")
        on_succeeded(kind, job)

    monkeypatch.setattr(TrainingKind, "on_succeeded", breaks_the_first_time)
    job = step_until(start(), lambda job: job.is_terminal)
    assert (job.state, job.attempt) == (State.SUCCEEDED, 1), job.error_text
    version = AdapterVersion.objects.get()
    assert [version.registry_arn] * 2 == ends
    registered = sagemaker._sagemaker.describe_model_package(ModelPackageName=version.registry_arn)
    assert (registered["ModelPackageVersion"], registered["ModelApprovalStatus"]) == (1, "PendingManualApproval")
    assert registered["CustomerMetadataProperties"]["package_sha256"] == version.package_sha256
    group = registered["ModelPackageGroupName"]
    listed = sagemaker._sagemaker.list_model_packages(ModelPackageGroupName=group)["ModelPackageSummaryList"]
    assert len(listed) == 1


def test_a_base_model_has_a_location_and_an_instance_of_its_own(
    start: Callable[..., TrainingRun], standin: StandIn, base_model: BaseModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The settings know nothing of it."""
    sagemaker = backend(standin, PRICE_USD_PER_HOUR=2.0, PRICE_SOURCE="a list")
    monkeypatch.setitem(compute.built, "default", sagemaker)
    clouds = {"sagemaker_uri": BASE, "training_instance": "ml.g5.2xlarge", "serving_instance": ""}
    change_base_model(base_model=base_model, title="Tiny", licence="", description="", **clouds)
    run = start()
    change_base_model(base_model=base_model, title="Tiny", licence="", description="", training_instance="ml.g6.xlarge")
    job = step_until(run, lambda job: job.is_terminal)
    assert job.state == State.SUCCEEDED, job.error_text
    asked = sagemaker._sagemaker.describe_training_job(TrainingJobName=job.external_name)
    assert asked["ResourceConfig"]["InstanceType"] == "ml.g5.2xlarge", "that of its start"
    channels = {one["ChannelName"]: one["DataSource"]["S3DataSource"]["S3Uri"] for one in asked["InputDataConfig"]}
    assert channels["base"] == BASE
    assert job.usd_per_hour is None, "the settings' price is that of another instance"


def test_a_stopped_training_is_resumed_from_its_checkpoint_in_s3(
    start: Callable[..., TrainingRun], sagemaker: SageMakerCompute, standin: StandIn
) -> None:
    run = start(epochs=20, batch_size=4)
    step_until(run, lambda job: job.furthest_step >= 5)
    stop_job(job_id=run.job_id)
    job = step_until(run, lambda job: job.is_terminal)
    assert (job.state, standin.training.jobs[job.external_name].status) == (State.STOPPED, "Stopped")
    resumed = resume_training(run_id=run.id)
    job = step_until(resumed, lambda job: job.is_terminal)
    assert job.state == State.SUCCEEDED, job.error_text
    said = JobEvent.objects.filter(job=job, type="message").values_list("data__text", flat=True)
    assert any(text.startswith("Resuming from step") for text in said)
