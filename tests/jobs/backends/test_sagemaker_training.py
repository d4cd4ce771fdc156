"""A real QLoRA training through the SageMaker backend: base model, rows and code from S3, the package back into it."""

import json
from pathlib import Path

import pytest
from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from jobs.backends.base import ComputeSpec, InputFile, RunState
from lorakit.contracts import TrainManifest, TrainSpec
from lorakit.digest import base_sha256
from lorakit.package import PACKAGE, inspect
from tests.jobs.backends.test_compute_contract import JOB, TENANT, ended, follow, new_name, underway
from tests.standin.deployment import backend, running_standin

pytestmark = pytest.mark.slow


def test_a_real_training_survives_the_loss_of_its_spot_machine(tmp_path: Path) -> None:
    base = settings.BASE_MODEL_DIR
    row = {"messages": [{"role": "user", "content": "Repeat: amber."}, {"role": "assistant", "content": "amber"}]}
    key = default_storage.save("sagemaker/rows", ContentFile((json.dumps(row) + "\n").encode() * 16))
    spec = TrainSpec(base_model=str(base), base_id="tiny-llama", r=4, max_steps=30, logging_steps=5, save_steps=5)
    with running_standin(tmp_path / "containers") as standin:
        uri = "s3://base-models/tiny/"
        standin.make_bucket("base-models")
        standin.put_folder(base, uri)
        sagemaker, name = backend(standin, SPOT=True, BASE_MODELS={str(base): uri}), new_name()
        sagemaker.submit(
            name,
            ComputeSpec(
                module="lorakit.train",
                spec=json.loads(spec.to_json()),
                inputs={"train": (InputFile(key=key, filename="rows.jsonl"),)},
                checkpoint_key=JOB,
                tags={"tenant": TENANT, "job": JOB, "attempt": "1", "kind": "training"},
            ),
        )
        follow(sagemaker, name, underway, seconds=120)
        standin.training.interrupt(name)
        seen, events = follow(sagemaker, name, ended, seconds=120)
        for artifact in (PACKAGE, "manifest.json"):
            sagemaker.fetch(name, artifact, tmp_path / artifact)
        described = sagemaker._sagemaker.describe_training_job(TrainingJobName=name)
    assert seen.state is RunState.SUCCEEDED, seen.result
    assert seen.result["metrics"]["steps"] == 30
    assert any(event.get("text", "").startswith("Resuming from step") for event in events.values())
    package = inspect(tmp_path / PACKAGE)
    manifest = TrainManifest.from_json((tmp_path / "manifest.json").read_bytes())
    assert (package.rank, package.base_id) == (4, "tiny-llama")
    assert (manifest.adapter_sha256, manifest.base_sha256) == (package.sha256, base_sha256(base))
    losses = {event["step"]: event["loss"] for event in events.values() if "loss" in event}
    assert losses.keys() == {5, 10, 15, 20, 25, 30}
    finals = {metric["MetricName"]: metric["Value"] for metric in described["FinalMetricDataList"]}
    assert round(finals["train:loss"], 3) == round(losses[30], 3)
