"""The job that inspects the head of an uploaded file, so that a person can correct the import options."""

import json
from pathlib import Path
from typing import Any
from uuid import UUID

from corpora.contexts import context_named
from corpora.ingest.contracts import INSPECTION, IngestSpec, Inspection
from corpora.models import Upload
from corpora.options import read_options
from corpora.quota import room_bytes
from corpora.uploads.errors import UploadGone
from corpora.uploads.services import INSPECT, record_failed_inspection, record_inspection
from corpora.versions.kinds import fetch_checked
from jobs.backends.base import ComputeBackend, ComputeSpec, InputFile
from jobs.compute.kinds import ComputeKind
from jobs.models import Job


class DatasetInspection(ComputeKind):
    """Runs `corpora.ingest` on the head of the file. Unreadable rows are problems in the inspection, not job errors."""

    name = INSPECT
    max_attempts = 3
    poll_seconds = 0.5

    def backend(self, spec: dict[str, Any]) -> str:
        return "checks"

    def prepare(self, job: Job) -> ComputeSpec:
        upload = Upload.objects.filter(id=job.spec["upload"]).first()
        if upload is None:
            raise UploadGone
        options = read_options(upload.options)
        spec = IngestSpec(
            task="inspect",
            sha256=upload.sha256,
            bytes=upload.bytes,
            options=options,
            context=context_named(options.context),
            room_bytes=room_bytes(job.tenant),
        )
        return ComputeSpec(
            module="corpora.ingest",
            spec=json.loads(spec.to_json()),
            inputs={"upload": (InputFile(key=upload.key, filename="upload"),)},
            tags={"tenant": str(job.tenant_id), "job": str(job.id)},
        )

    def collect(self, job: Job, result: dict[str, Any], folder: Path, backend: ComputeBackend) -> dict[str, Any]:
        hashes = {item["name"]: item["sha256"] for item in result["artifacts"]}
        path = fetch_checked(backend, job, INSPECTION, folder, hashes)
        return {"inspection": json.loads(path.read_text(encoding="utf-8"))}

    def on_succeeded(self, job: Job) -> None:
        inspection = Inspection.from_json(json.dumps(job.result["inspection"]))
        record_inspection(upload_id=UUID(job.spec["upload"]), inspection=inspection)

    def on_failed(self, job: Job) -> None:
        record_failed_inspection(upload_id=UUID(job.spec["upload"]), code=job.error_code, text=job.error_text)

    def on_stopped(self, job: Job) -> None:
        text = "The inspection was stopped. Refresh the preview to inspect the file again, or import it as it is."
        record_failed_inspection(upload_id=UUID(job.spec["upload"]), code="upload:look_stopped", text=text)
