"""The job that inspects the head of an uploaded file, so that a person can correct the import options."""

import json
from pathlib import Path
from typing import Any
from uuid import UUID

from corpora.ingest.contracts import INSPECTION, Inspection
from corpora.kinds import Artifacts, IngestKind
from corpora.models import Upload
from corpora.uploads.errors import UploadGone
from corpora.uploads.services import INSPECT, record_failed_inspection, record_inspection
from jobs.backends.base import ComputeBackend, ComputeSpec
from jobs.models import Job


class DatasetInspection(IngestKind):
    """Runs `corpora.ingest` on the head of the file. Unreadable rows are problems in the inspection, not job errors."""

    name = INSPECT
    title = "File inspection"
    task = "inspect"
    poll_seconds = 0.5

    def prepare(self, job: Job) -> ComputeSpec:
        upload = Upload.objects.filter(id=job.spec["upload"]).first()
        if upload is None:
            raise UploadGone
        return self.compute_spec(job, key=upload.key, sha256=upload.sha256, size=upload.bytes, options=upload.options)

    def collect(self, job: Job, result: dict[str, Any], folder: Path, backend: ComputeBackend) -> dict[str, Any]:
        return {"inspection": Artifacts(backend, job, result, folder).document(INSPECTION)}

    def on_succeeded(self, job: Job) -> None:
        inspection = Inspection.from_json(json.dumps(job.result["inspection"]))
        record_inspection(upload_id=UUID(job.spec["upload"]), inspection=inspection)

    def on_failed(self, job: Job) -> None:
        record_failed_inspection(upload_id=UUID(job.spec["upload"]), code=job.error_code, text=job.error_text)

    def on_stopped(self, job: Job) -> None:
        text = "The inspection was stopped. Refresh the preview to inspect the file again, or import it as it is."
        record_failed_inspection(upload_id=UUID(job.spec["upload"]), code="upload:look_stopped", text=text)
