"""A training from the queue to a version whose package plain PEFT loads."""

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from django.core.files.storage import default_storage
from django.db import connection, transaction
from peft import PeftModel
from transformers import AutoModelForCausalLM

from adapters.models import Adapter, AdapterVersion, BaseModel, TrainingRun
from adapters.training.kinds import TrainingKind
from adapters.training.services import start_training
from corpora.models import DatasetVersion
from jobs.backends.base import ComputeBackend
from jobs.models import Job
from jobs.services import stop_job
from jobs.states import State
from lorakit.package import unpack
from rest.errors import PortalError
from storage.objects import object_key, open_object
from tenants.models import Tenant
from tenants.scope import tenant_scope

pytestmark = pytest.mark.slow

Start = Callable[..., TrainingRun]


def stored_packages(tenant: Tenant) -> list[str]:
    folder = f"tenants/{tenant.id}/adapters"
    return default_storage.listdir(folder)[1] if default_storage.exists(folder) else []


@pytest.fixture
def start(tenant: Tenant, base_model: BaseModel, make_dataset: Callable[..., DatasetVersion]) -> Start:
    def call(**changes: Any) -> TrainingRun:
        with tenant_scope(tenant.id):
            dataset_version = DatasetVersion.objects.first() or make_dataset()
            return start_training(
                tenant=tenant,
                adapter_name="boxes",
                dataset_version=dataset_version,
                base_model=base_model,
                recipe="structured",
                overrides={"epochs": 1, "rank": 4, "batch_size": 8} | changes,
            )

    return call


def test_a_training_ends_in_a_version_that_peft_loads(
    tenant: Tenant, start: Start, run_jobs: Callable[..., None], base_model: BaseModel, tmp_path: Path
) -> None:
    run = start()
    run_jobs()
    with tenant_scope(tenant.id):
        job = Job.objects.get(id=run.job_id)
        assert job.state == State.SUCCEEDED, job.error_text
        version = AdapterVersion.objects.select_related("run").get()
        assert (version.number, version.run, version.rank) == (1, run, 4)
        assert version.metrics["steps"] == 3.0
        assert version.metrics["eval_loss"] > 0
        assert version.package_key == object_key(tenant.id, "adapters", f"{version.package_sha256}.tar.gz")
        assert version.manifest["adapter_sha256"] == version.package_sha256
        assert version.manifest["spec"]["base_id"] == base_model.name
        assert base_model.location not in str(version.manifest)
    with open_object(version.package_key) as package:
        (tmp_path / "package.tar.gz").write_bytes(package.read())
    assert unpack(tmp_path / "package.tar.gz", tmp_path / "adapter").sha256 == version.package_sha256
    model = AutoModelForCausalLM.from_pretrained(base_model.location)
    question = torch.tensor([[1, 50, 60, 70]])
    with torch.no_grad():
        plain = model(question).logits
        adapted = PeftModel.from_pretrained(model, tmp_path / "adapter")(question).logits
    assert not torch.allclose(plain, adapted)


def test_a_stopped_training_leaves_no_version(tenant: Tenant, start: Start, run_jobs: Callable[..., None]) -> None:
    run = start()
    with tenant_scope(tenant.id):
        stop_job(job_id=run.job_id)
    run_jobs()
    with tenant_scope(tenant.id):
        assert Job.objects.get(id=run.job_id).state == State.STOPPED
        assert not AdapterVersion.objects.exists()


def result_of(number: int) -> dict[str, Any]:
    return {
        "package_key": f"key-{number}",
        "package_sha256": f"{number:064x}",
        "package_bytes": 1,
        "rank": 4,
        "manifest": {},
        "metrics": {},
    }


@pytest.mark.django_db(transaction=True)
def test_two_trainings_that_end_together_get_two_numbers(tenant: Tenant, start: Start) -> None:
    runs = [start(), start()]
    first_wrote = threading.Event()

    def end(number: int) -> None:
        try:
            with tenant_scope(tenant.id), transaction.atomic():
                job = Job.objects.get(id=runs[number].job_id)
                job.result = result_of(number)
                if number:
                    first_wrote.wait(10)
                TrainingKind().on_succeeded(job)
                first_wrote.set()
                if not number:
                    time.sleep(0.3)
        finally:
            connection.close()

    threads = [threading.Thread(target=end, args=(number,)) for number in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    with tenant_scope(tenant.id):
        versions = AdapterVersion.objects.order_by("number")
        assert [(v.number, v.run_id) for v in versions] == [(1, runs[0].id), (2, runs[1].id)]


class BrokenBackend:
    """Hands out a file that is no package."""

    def fetch(self, name: str, artifact: str, destination: Path) -> None:
        destination.write_bytes(b"not a package")


def test_a_package_that_fails_its_check_is_not_stored(tenant: Tenant, start: Start, tmp_path: Path) -> None:
    run = start()
    backend: ComputeBackend = BrokenBackend()  # type: ignore[assignment]
    with tenant_scope(tenant.id):
        job = Job.objects.get(id=run.job_id)
        with pytest.raises(PortalError) as caught:
            TrainingKind().collect(job, {"metrics": {}}, tmp_path, backend)
        assert caught.value.code == "platform:bad_package"
        assert not AdapterVersion.objects.exists()
        assert Adapter.objects.exists()
    assert not stored_packages(tenant)


def test_without_held_out_rows_there_is_no_evaluation_channel(
    tenant: Tenant, start: Start, make_dataset: Callable[..., DatasetVersion]
) -> None:
    with tenant_scope(tenant.id):
        make_dataset(test=0)
    run = start()
    with tenant_scope(tenant.id):
        spec = TrainingKind().prepare(Job.objects.get(id=run.job_id))
    assert set(spec.inputs) == {"train"}
    assert (spec.spec["r"], spec.spec["alpha"], spec.spec["epochs"]) == (4, 8, 1.0)


def test_an_adapter_of_another_base_than_the_one_made_known_is_refused(
    tenant: Tenant, start: Start, run_jobs: Callable[..., None], base_model: BaseModel
) -> None:
    BaseModel.objects.filter(id=base_model.id).update(sha256="0" * 64)
    run = start()
    run_jobs()
    with tenant_scope(tenant.id):
        job = Job.objects.get(id=run.job_id)
        assert (job.state, job.error_code) == (State.FAILED, "platform:other_base_model")
        assert not AdapterVersion.objects.exists()
    assert not stored_packages(tenant)
