"""What the two jobs that run `corpora.ingest` on a file share: the check, and the look at its head."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from corpora.contexts import context_named
from corpora.ingest.contracts import IngestSpec
from corpora.options import read_options
from corpora.quota import room_bytes
from jobs.backends.base import ComputeBackend, ComputeError, ComputeSpec, InputFile
from jobs.compute.kinds import ComputeKind
from jobs.models import Job
from lorakit.digest import file_sha256


class IngestKind(ComputeKind):
    """A job that runs `corpora.ingest` on one uploaded file."""

    task: Literal["check", "inspect"]
    max_attempts = 3

    def backend(self, spec: dict[str, Any]) -> str:
        return "checks"

    def compute_spec(self, job: Job, *, key: str, sha256: str, size: int, options: Mapping[str, Any]) -> ComputeSpec:
        """The run on the stored file `key` of `size` bytes. Raises WrongOption."""
        read = read_options(options)
        spec = IngestSpec(
            task=self.task,
            sha256=sha256,
            bytes=size,
            options=read,
            context=context_named(read.context),
            room_bytes=room_bytes(job.tenant),
        )
        return ComputeSpec(
            module="corpora.ingest",
            spec=json.loads(spec.to_json()),
            inputs={"upload": (InputFile(key=key, filename="upload"),)},
            tags={"tenant": str(job.tenant_id), "job": str(job.id)},
        )


class Artifacts:
    """The files that a run wrote, copied into `folder` when they are asked for."""

    def __init__(self, backend: ComputeBackend, job: Job, result: Mapping[str, Any], folder: Path) -> None:
        self.backend = backend
        self.job = job
        self.folder = folder
        self.hashes = {item["name"]: item["sha256"] for item in result["artifacts"]}

    def fetch(self, name: str) -> Path:
        """The copy. Raises ComputeError if its SHA-256 differs from the result's."""
        path = self.folder / name
        self.backend.fetch(self.job.external_name, name, path)
        if file_sha256(path) != self.hashes[name]:
            text = "The results of the check were damaged in transfer."
            raise ComputeError("platform:artifact_damaged", text, temporary=True)
        return path

    def document(self, name: str) -> dict[str, Any]:
        """What a JSON file holds."""
        found: dict[str, Any] = json.loads(self.fetch(name).read_text(encoding="utf-8"))
        return found
