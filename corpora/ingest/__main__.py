"""The checking child's main."""

import os
import sys
import time

# The check multiplies no matrices. numpy's idle threads for it cost memory and spin while they wait.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
# With huge pages, a sparsely used large array takes all of its memory, 2 MiB at a time.
os.environ.setdefault("NUMPY_MADVISE_HUGEPAGE", "0")
# Arrow's own allocator keeps 40 MB of freed memory.
os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")

from corpora.ingest.check import Check, Progress
from corpora.ingest.contracts import INSPECTION, REPORT, IngestSpec
from corpora.ingest.inspection import inspect_file
from lorakit.rundir import Run, execute

REPORT_SECONDS = 0.5


def task(run: Run[IngestSpec]) -> dict[str, float]:
    """Check or inspect the file in inputs/upload. A run that finds problems in the file succeeds."""
    path = run.input("upload", "upload")
    if run.spec.task == "inspect":
        run.phase("inspecting")
        inspection = inspect_file(path, run.spec, scratch=run.directory)
        (run.output / INSPECTION).write_text(inspection.to_json(), encoding="utf-8")
        return {"bytes": inspection.bytes}
    checked = Check(run.spec, folder=run.output, scratch=run.directory).run(path, _reporter(run))
    (run.output / REPORT).write_text(checked.report.to_json(), encoding="utf-8")
    for name, sha256 in checked.hashes.items():
        run.know_hash(name, sha256)
    report = checked.report
    return {"rows": report.rows, "train": report.train, "test": report.test, "problems": report.problem_count}


def _reporter(run: Run[IngestSpec]) -> Progress:
    """Return a function that reports progress twice a second and stops the check when it is cancelled."""
    begun = reported = time.monotonic()
    current = ""

    def report(phase: str, fraction: float) -> None:
        nonlocal begun, reported, current
        now = time.monotonic()
        if phase != current:
            current, begun = phase, now
            run.phase(phase)
        run.check_cancelled()
        if now - reported < REPORT_SECONDS:
            return
        reported = now
        eta = (now - begun) * (1 / fraction - 1) if fraction > 0 else None
        run.emit("metric", step=round(100 * fraction), total=100, fraction=round(fraction, 4), eta_seconds=eta)

    return report


if __name__ == "__main__":
    sys.exit(execute(IngestSpec, task, area="dataset"))
