"""A small real run for tests: counts to `steps`, remembers where it was, and leaves the sum as its artifact."""

import os
import signal
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from lorakit.errors import RunError
from lorakit.rundir import Run, execute, write_atomically


@dataclass(frozen=True)
class ToySpec:
    """`dies_after` so many steps of an attempt and `cannot_pass` a step: as if killed. `room`: until that file is
    there, the disk is full."""

    steps: int = 3
    seconds_per_step: float = 0.0
    fail_with: str = ""
    dies_after: int = 0
    cannot_pass: int = -1
    room: str = ""


def count(run: Run[ToySpec]) -> dict[str, float]:
    mark = run.checkpoints / "step"
    first = int(mark.read_text()) if mark.exists() else 0
    run.phase("training")
    if run.spec.room and not Path(run.spec.room).exists():
        Path("/dev/full").write_text("no room for this")
    for step in range(first, run.spec.steps):
        run.check_cancelled()
        if step == run.spec.cannot_pass or (run.spec.dies_after and step - first == run.spec.dies_after):
            os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(run.spec.seconds_per_step)
        write_atomically(mark, str(step + 1))
        run.emit("metric", step=step + 1, total=run.spec.steps, fraction=(step + 1) / run.spec.steps)
    if run.spec.fail_with:
        raise RunError(run.spec.fail_with, "Mend the toy.")
    (run.output / "sum.txt").write_text(str(sum(range(run.spec.steps + 1))))
    return {"first": float(first)}


if __name__ == "__main__":
    sys.exit(execute(ToySpec, count, area="toy"))
