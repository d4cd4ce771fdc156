"""A small real run for the contract of compute backends: counts, remembers where it was, and hands on its inputs."""

import os
import sys
import time
from dataclasses import dataclass

from lorakit.errors import RunError
from lorakit.rundir import Run, execute


@dataclass(frozen=True)
class ContractSpec:
    steps: int = 3
    seconds_per_step: float = 0.0
    fail_with: str = ""


def count(run: Run[ContractSpec]) -> dict[str, float]:
    mark = run.checkpoints / "step"
    first = int(mark.read_text()) if mark.exists() else 0
    run.phase("training")
    for step in range(first, run.spec.steps):
        run.check_cancelled()
        time.sleep(run.spec.seconds_per_step)
        mark.write_text(str(step + 1))
        run.emit("metric", step=step + 1, total=run.spec.steps, fraction=(step + 1) / run.spec.steps)
    if run.spec.fail_with:
        raise RunError(run.spec.fail_with, "Mend the run.", temporary=True)
    # What a library prints must not be taken for an event.
    print("a library's line")  # noqa: T201
    print(f"threads: {os.environ.get('OMP_NUM_THREADS')}")  # noqa: T201
    (run.output / "sum.txt").write_text(str(sum(range(run.spec.steps + 1))))
    rows = run.input("rows", "rows.txt")
    (run.output / "rows.txt").write_bytes(rows.read_bytes() if rows.exists() else b"")
    return {"first": float(first)}


if __name__ == "__main__":
    sys.exit(execute(ContractSpec, count, area="toy"))
