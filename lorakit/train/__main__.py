"""The training child's main."""

import sys

from lorakit.contracts import TrainSpec
from lorakit.rundir import Run, execute


def task(run: Run[TrainSpec]) -> dict[str, float]:
    """Train; the slow imports happen here, under lock and lease."""
    from lorakit.train.training import train

    return train(run)


if __name__ == "__main__":
    sys.exit(execute(TrainSpec, task, area="training"))
