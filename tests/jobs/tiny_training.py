"""A real training of some seconds, as a kind of job that a worker of its own process can be told to know."""

import json
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from jobs.backends.base import ComputeBackend, ComputeSpec, InputFile
from jobs.compute.kinds import ComputeKind
from jobs.kinds import register
from jobs.models import Job
from lorakit.contracts import TrainSpec
from lorakit.digest import file_sha256
from lorakit.package import PACKAGE

ROWS = "tests/tiny-training/rows.jsonl"


class TinyTraining(ComputeKind):
    """`spec` is that of the trainer; the result tells the package's hash."""

    name = "tiny_training"
    title = "Tiny training"
    poll_seconds = 0.2
    # The test kills faster than a trainer can start, so that many attempts in a row get nowhere.
    max_attempts = 40

    def prepare(self, job: Job) -> ComputeSpec:
        rows = (InputFile(key=ROWS, filename="rows.jsonl"),)
        return ComputeSpec(module="tests.jobs.tiny_training_run", spec=job.spec, inputs={"train": rows})

    def collect(self, job: Job, result: dict[str, Any], folder: Path, backend: ComputeBackend) -> dict[str, Any]:
        backend.fetch(job.external_name, PACKAGE, folder / PACKAGE)
        return {"sha256": file_sha256(folder / PACKAGE)}


def rows(count: int = 48) -> bytes:
    """The training's rows, all of them different."""
    lines = []
    for number in range(count):
        question = {"role": "user", "content": f"Where is order AB-{number * 37}?"}
        answer = {"role": "assistant", "content": f"queue=logistics order={number * 37} " + "please " * (number % 5)}
        lines.append(json.dumps({"messages": [question, answer]}) + "\n")
    return "".join(lines).encode()


def store_rows() -> None:
    """Put the rows where the jobs' inputs come from."""
    default_storage.delete(ROWS)
    default_storage.save(ROWS, ContentFile(rows()))


def tiny_spec() -> dict[str, Any]:
    """Every step is logged, every fifth saved; the rows are gone through several times in different orders."""
    spec = TrainSpec(
        base_model=str(settings.BASE_MODEL_DIR),
        base_id="tiny-llama",
        r=4,
        max_steps=50,
        batch_size=4,
        warmup_steps=2,
        learning_rate=5e-3,
        logging_steps=1,
        save_steps=5,
    )
    loaded: dict[str, Any] = json.loads(spec.to_json())
    return loaded


register(TinyTraining())
