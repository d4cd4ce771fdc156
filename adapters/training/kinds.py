"""The training job: rows in, a checked package and its version out."""

import json
from pathlib import Path
from typing import Any

from django.db.models import Max

from adapters.models import Adapter, AdapterVersion, BaseModel, TrainingRun
from adapters.training import arrivals
from corpora.models import DatasetVersion
from jobs.backends.base import ComputeBackend, ComputeSpec, InputFile
from jobs.compute.kinds import ComputeKind
from jobs.models import Job
from lorakit.contracts import TrainSpec
from lorakit.errors import PackageError
from lorakit.package import PACKAGE, PackageInfo, inspect
from rest.errors import PortalError
from storage.objects import object_key, put_file

MANIFEST = "manifest.json"
ROWS = "rows.jsonl"


class TrainingKind(ComputeKind):
    """Runs `lorakit.train` on a dataset version; its held-out rows only measure the evaluation loss."""

    name = "training"
    title = "Training"

    def prepare(self, job: Job) -> ComputeSpec:
        dataset = DatasetVersion.objects.get(id=job.spec["dataset_version"])
        base_model = BaseModel.objects.get(id=job.spec["base_model"])
        inputs: dict[str, tuple[InputFile, ...]] = {"train": (InputFile(key=dataset.train_key, filename=ROWS),)}
        if dataset.test_count:
            inputs["eval"] = (InputFile(key=dataset.test_key, filename=ROWS),)
        return ComputeSpec(
            module="lorakit.train",
            spec=json.loads(train_spec(base_model, job.spec["hyperparameters"]).to_json()),
            inputs=inputs,
            base_uri=base_model.sagemaker_uri,
            tags={"tenant": str(job.tenant_id), "job": str(job.id)},
        )

    def collect(self, job: Job, result: dict[str, Any], folder: Path, backend: ComputeBackend) -> dict[str, Any]:
        for name in (PACKAGE, MANIFEST):
            backend.fetch(job.external_name, name, folder / name)
        package = _checked_package(folder / PACKAGE, job)
        run = TrainingRun.objects.select_related("adapter", "dataset_version").get(job=job)
        manifest = _public_manifest(folder / MANIFEST, package, run, base_sha256=_base_sha256(job))
        # Only what has passed every check is stored.
        key = object_key(job.tenant_id, "adapters", f"{package.sha256}.tar.gz")
        put_file(key, folder / PACKAGE)
        known = {"rank": str(package.rank), "base": package.base_id, "dataset_version": str(run.dataset_version_id)}
        return {
            "package_key": key,
            "package_sha256": package.sha256,
            "package_bytes": package.size,
            "rank": package.rank,
            "manifest": manifest,
            "metrics": result["metrics"],
            "registry_arn": backend.register(
                job.external_name, folder / PACKAGE, model=run.adapter.name, metadata=known
            ),
        }

    def on_succeeded(self, job: Job) -> None:
        run = TrainingRun.objects.select_related("dataset_version").get(job=job)
        # Two trainings of one adapter may end at the same moment: the lock makes them take turns.
        adapter = Adapter.objects.select_for_update().get(id=run.adapter_id)
        last = AdapterVersion.objects.filter(adapter=adapter).aggregate(Max("number"))["number__max"] or 0
        version = AdapterVersion.objects.create(
            tenant_id=job.tenant_id, adapter=adapter, number=last + 1, run=run, **job.result
        )
        arrivals.tell(version)


NO_STEPS = -1
"""Tells the trainer to count epochs."""
MACHINES_CHOICE = 0
"""Tells the trainer to use as many threads as the machine gives it."""


def train_spec(base_model: BaseModel, hyperparameters: dict[str, Any]) -> TrainSpec:
    """The trainer's specification for a run's hyperparameters; the rest are the trainer's defaults."""
    targets = hyperparameters["target_modules"]
    return TrainSpec(
        base_model=base_model.location,
        base_id=base_model.name,
        r=hyperparameters["rank"],
        alpha=hyperparameters["alpha"],
        target_modules="all-linear" if targets == "all-linear" else tuple(targets),
        epochs=hyperparameters["epochs"],
        max_steps=hyperparameters.get("max_steps") or NO_STEPS,
        learning_rate=hyperparameters["learning_rate"],
        batch_size=hyperparameters["batch_size"],
        gradient_accumulation=hyperparameters["gradient_accumulation"],
        max_length=hyperparameters["max_length"],
        learn=hyperparameters.get("learn", "every_answer"),
        threads=MACHINES_CHOICE,
    )


def _checked_package(path: Path, job: Job) -> PackageInfo:
    try:
        package = inspect(path)
    except PackageError as error:
        text = f"The trained package was rejected. {error.text}"
        raise PortalError(text, code="platform:bad_package") from error
    wanted = job.spec["base_model_name"], job.spec["hyperparameters"]["rank"]
    if (package.base_id, package.rank) != wanted:
        text = "The trained package has another base model or rank than requested."
        raise PortalError(text, code="platform:bad_package")
    return package


def _base_sha256(job: Job) -> str:
    """Hash of the base model as registered by the operator, or empty."""
    return BaseModel.objects.get(id=job.spec["base_model"]).sha256


def _public_manifest(path: Path, package: PackageInfo, run: TrainingRun, *, base_sha256: str) -> dict[str, Any]:
    """The run's manifest with what only the portal knows, without the location of the base model."""
    manifest: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    if manifest["adapter_sha256"] != package.sha256:
        raise PortalError("The manifest belongs to another package.", code="platform:bad_package")
    if base_sha256 and manifest["base_sha256"] != base_sha256:
        text = "The base model’s files differ from those that the operator registered, so this adapter would not match."
        raise PortalError(text, code="platform:other_base_model")
    del manifest["spec"]["base_model"]
    manifest["parameters"] = package.parameters
    manifest["dataset_version"] = str(run.dataset_version_id)
    manifest["rows_sha256"] = run.dataset_version.rows_sha256
    manifest["recipe"] = run.recipe
    return manifest
