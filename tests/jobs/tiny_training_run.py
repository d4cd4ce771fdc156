"""lorakit.train, which also writes down that it was begun: a line with the run's name in ROOT/begun."""

import sys

from lorakit.contracts import TrainSpec
from lorakit.rundir import Run, execute
from lorakit.train.__main__ import task


def begin(run: Run[TrainSpec]) -> dict[str, float]:
    with (run.directory.parent / "begun").open("a") as log:
        log.write(f"{run.directory.name}\n")
    return task(run)


if __name__ == "__main__":
    sys.exit(execute(TrainSpec, begin, area="training"))
