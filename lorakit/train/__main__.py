"""The main module of the training child."""

import sys

from lorakit.contracts import TrainSpec
from lorakit.rundir import Run, execute


def task(run: Run[TrainSpec]) -> dict[str, float]:
    """Train. The slow imports happen here, while lock and lease are held."""
    from lorakit.train.training import train

    return train(run)


if __name__ == "__main__":
    sys.exit(execute(TrainSpec, task, area="training"))
