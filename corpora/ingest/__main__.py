"""The checking child's main."""

import os
import sys
import time

# Nothing here multiplies matrices, and the threads that numpy has ready for it cost memory and wait by spinning.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
# Large arrays of which little is used would be given all their memory, two mebibytes at a time.
os.environ.setdefault("NUMPY_MADVISE_HUGEPAGE", "0")
# Arrow's own allocator keeps what has been freed: 40 MB.
os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")

from corpora.ingest.check import Check, Progress
from corpora.ingest.contracts import INSPECTION, REPORT, IngestSpec
from corpora.ingest.inspection import inspect_file
from lorakit.rundir import Run, execute

REPORT_SECONDS = 0.5


def task(run: Run[IngestSpec]) -> dict[str, float]:
    """Check or inspect the file in inputs/upload; a file with problems is a run that succeeded in finding them."""
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
    """Tells how far the check is, twice a second, and stops it when asked to."""
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
