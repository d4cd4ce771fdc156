"""The job that checks an uploaded file."""

import json
from pathlib import Path
from typing import Any
from uuid import UUID

from corpora.contexts import context_named
from corpora.ingest.contracts import FINDINGS, INDEX, REPORT, TEST, TRAIN, IngestSpec, Report
from corpora.models import DatasetVersion
from corpora.options import read_options
from corpora.quota import room_bytes
from corpora.versions.services import CHECK, record_report, reject_version, rows_key
from jobs.backends.base import ComputeBackend, ComputeError, ComputeSpec, InputFile
from jobs.compute.kinds import ComputeKind
from jobs.models import Job
from lorakit.digest import file_sha256
from storage.objects import put_file


class DatasetCheck(ComputeKind):
    """Runs `corpora.ingest`. The check of a file with problems succeeds, and its version is rejected."""

    name = CHECK
    max_attempts = 3
    poll_seconds = 1.0

    def backend(self, spec: dict[str, Any]) -> str:
        return "checks"

    def prepare(self, job: Job) -> ComputeSpec:
        version = DatasetVersion.objects.get(id=job.spec["version"])
        options = read_options(version.options)
        spec = IngestSpec(
            sha256=version.upload_sha256,
            bytes=version.upload_bytes,
            options=options,
            context=context_named(options.context),
            room_bytes=room_bytes(job.tenant),
        )
        return ComputeSpec(
            module="corpora.ingest",
            spec=json.loads(spec.to_json()),
            inputs={"upload": (InputFile(key=version.upload_key, filename="upload"),)},
            tags={"tenant": str(job.tenant_id), "job": str(job.id)},
        )

    def collect(self, job: Job, result: dict[str, Any], folder: Path, backend: ComputeBackend) -> dict[str, Any]:
        hashes = {item["name"]: item["sha256"] for item in result["artifacts"]}
        report_path = fetch_checked(backend, job, REPORT, folder, hashes)
        report = json.loads(report_path.read_text(encoding="utf-8"))
        keys: dict[str, str] = {}
        for name in (FINDINGS, TRAIN, TEST, INDEX) if report["accepted"] else (FINDINGS,):
            keys[name] = rows_key(job.tenant_id, UUID(job.spec["version"]), name)
            put_file(keys[name], fetch_checked(backend, job, name, folder, hashes))
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


def fetch_checked(backend: ComputeBackend, job: Job, name: str, folder: Path, hashes: dict[str, str]) -> Path:
    """Copy an artifact of the run into `folder`. Raises ComputeError if its SHA-256 differs from the result's."""
    path = folder / name
    backend.fetch(job.external_name, name, path)
    if file_sha256(path) != hashes[name]:
        text = "The results of the check were damaged in transfer."
        raise ComputeError("platform:artifact_damaged", text, temporary=True)
    return path
