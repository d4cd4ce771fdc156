"""The job that checks an uploaded file."""

import json
from pathlib import Path
from typing import Any
from uuid import UUID

from corpora.ingest.contracts import FINDINGS, INDEX, REPORT, TEST, TRAIN, Report
from corpora.kinds import Artifacts, IngestKind
from corpora.models import DatasetVersion
from corpora.versions.services import CHECK, record_report, reject_version, rows_key
from jobs.backends.base import ComputeBackend, ComputeSpec
from jobs.models import Job
from storage.objects import put_file


class DatasetCheck(IngestKind):
    """Runs `corpora.ingest`. The check of a file with problems succeeds, and its version is rejected."""

    name = CHECK
    title = "Dataset check"
    task = "check"
    poll_seconds = 1.0

    def prepare(self, job: Job) -> ComputeSpec:
        version = DatasetVersion.objects.get(id=job.spec["version"])
        return self.compute_spec(
            job,
            key=version.upload_key,
            sha256=version.upload_sha256,
            size=version.upload_bytes,
            options=version.options,
        )

    def collect(self, job: Job, result: dict[str, Any], folder: Path, backend: ComputeBackend) -> dict[str, Any]:
        artifacts = Artifacts(backend, job, result, folder)
        report = artifacts.document(REPORT)
        keys: dict[str, str] = {}
        for name in (FINDINGS, TRAIN, TEST, INDEX) if report["accepted"] else (FINDINGS,):
            keys[name] = rows_key(job.tenant_id, UUID(job.spec["version"]), name)
            put_file(keys[name], artifacts.fetch(name))
        return {"report": report, "keys": keys, "rows_bytes": sum((folder / name).stat().st_size for name in keys)}

    def on_succeeded(self, job: Job) -> None:
        report = Report.from_json(json.dumps(job.result["report"]))
        record_report(
            version_id=UUID(job.spec["version"]),
            report=report,
            keys=job.result["keys"],
            rows_bytes=job.result.get("rows_bytes", 0),
        )

    def on_failed(self, job: Job) -> None:
        reject_version(version_id=UUID(job.spec["version"]), code=job.error_code, text=job.error_text)

    def on_stopped(self, job: Job) -> None:
        text = "The check was stopped. Upload the file again to check it."
        reject_version(version_id=UUID(job.spec["version"]), code="dataset:check_stopped", text=text)
