"""The checking child's main."""

import sys
import time

from corpora.ingest.check import Check, Progress
from corpora.ingest.contracts import REPORT, IngestSpec
from lorakit.digest import file_sha256
from lorakit.errors import RunError
from lorakit.rundir import Run, execute

REPORT_SECONDS = 0.5


def task(run: Run[IngestSpec]) -> dict[str, float]:
    """Check the file in inputs/upload; a file with problems is a run that succeeded in finding them."""
    path = run.input("upload", "upload")
    if path.stat().st_size != run.spec.bytes or file_sha256(path) != run.spec.sha256:
        text = "The stored file is not the one that was uploaded. We fetch it again."
        raise RunError("platform:object_damaged", text, temporary=True)
    run.phase("checking")
    check = Check(run.spec, folder=run.output, scratch=run.directory)
    report = check.run(path, _reporter(run))
    (run.output / REPORT).write_text(report.to_json(), encoding="utf-8")
    return {"rows": report.rows, "train": report.train, "test": report.test, "problems": report.problem_count}


def _reporter(run: Run[IngestSpec]) -> Progress:
    """Tells how far the check is, twice a second, and stops it when asked to."""
    begun = reported = time.monotonic()

    def report(fraction: float) -> None:
        nonlocal reported
        now = time.monotonic()
        if now - reported < REPORT_SECONDS:
            return
        reported = now
        run.check_cancelled()
        eta = (now - begun) * (1 / fraction - 1) if fraction > 0 else None
        run.emit("metric", step=round(100 * fraction), total=100, fraction=round(fraction, 4), eta_seconds=eta)

    return report


if __name__ == "__main__":
    sys.exit(execute(IngestSpec, task, area="dataset"))
