"""A base model, a checked dataset with rows in storage, and adapters trained before the test begins."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from adapters.models import AdapterVersion, BaseModel
from adapters.training.services import start_training
from adapters.versions import panels
from corpora.models import Dataset, DatasetVersion, VersionState
from jobs.models import Job
from jobs.states import State
from storage.objects import object_key
from tenants.models import Tenant


@pytest.fixture
def base_model(db: None) -> BaseModel:
    config = json.loads((settings.BASE_MODEL_DIR / "config.json").read_text())
    return BaseModel.objects.create(
        name="tiny-llama",
        title="Tiny Llama",
        location=str(settings.BASE_MODEL_DIR),
        parameters=1_970_000,
        context_length=config["max_position_embeddings"],
        is_synthetic=True,
    )


@pytest.fixture
def real_base_model(db: None) -> BaseModel:
    return BaseModel.objects.create(
        name="big-llama",
        title="Big Llama",
        location="/models/big",
        parameters=8_000_000_000,
        context_length=8192,
    )


def rows(split: str, count: int) -> bytes:
    lines = []
    for number in range(count):
        messages = [
            {"role": "user", "content": f"Which shelf holds box {number}?"},
            {"role": "assistant", "content": f"SHELF {number % 7}"},
        ]
        row = {"id": f"{number:032x}", "messages": messages, "split": split, "slice": "all", "label": None}
        lines.append(json.dumps(row))
    return ("\n".join(lines) + "\n").encode()


@pytest.fixture
def make_dataset(tenant: Tenant) -> Callable[..., DatasetVersion]:
    """Call inside a tenant's scope."""

    def make(
        owner: Tenant = tenant,
        name: str = "Boxes",
        state: VersionState = VersionState.READY,
        train: int = 24,
        test: int = 6,
        **fields: Any,
    ) -> DatasetVersion:
        dataset = Dataset.objects.create(tenant=owner, name=name)
        version = DatasetVersion.objects.create(
            tenant=owner,
            dataset=dataset,
            number=1,
            state=state,
            file_name="boxes.jsonl",
            upload_sha256="0" * 64,
            upload_bytes=len(rows("train", train + test)),
            upload_key="unused",
            row_count=train + test,
            train_count=train,
            test_count=test,
            **fields,
        )
        for split, count in (("train", train), ("test", test)):
            key = object_key(owner.id, "datasets", str(version.id), f"{split}.jsonl")
            setattr(version, f"{split}_key", default_storage.save(key, ContentFile(rows(split, count))))
        version.save()
        return version

    return make


@pytest.fixture
def dataset_version(in_tenant: Tenant, make_dataset: Callable[..., DatasetVersion]) -> DatasetVersion:
    return make_dataset()


@pytest.fixture
def make_version(base_model: BaseModel) -> Callable[..., AdapterVersion]:
    """A version without its training: the rows that a finished one leaves. Call inside a tenant's scope."""

    def make(dataset_version: DatasetVersion, name: str = "boxes", **metrics: float) -> AdapterVersion:
        run = start_training(
            tenant=dataset_version.tenant,
            adapter_name=name,
            dataset_version=dataset_version,
            base_model=base_model,
            recipe="structured",
            overrides={},
        )
        Job.objects.filter(id=run.job_id).update(state=State.SUCCEEDED, billable_seconds=40.0)
        number = AdapterVersion.objects.filter(adapter=run.adapter).count() + 1
        key = object_key(dataset_version.tenant_id, "adapters", f"{run.id}.tar.gz")
        return AdapterVersion.objects.create(
            tenant=dataset_version.tenant,
            adapter=run.adapter,
            number=number,
            run=run,
            package_key=default_storage.save(key, ContentFile(b"package")),
            package_sha256="ab" * 32,
            package_bytes=7,
            rank=16,
            manifest={"base_sha256": "cd" * 32, "spec": {"r": 16}, "versions": {}, "data_sha256": {}},
            metrics={"steps": 9.0, "train_seconds": 4.5, "train_loss": 0.5, "rows": 24.0, **metrics},
        )

    return make


@pytest.fixture
def no_panels() -> Iterator[None]:
    """The page of a version as it is without the floors above."""
    before = panels._sources[:]
    panels._sources.clear()
    yield
    panels._sources[:] = before
