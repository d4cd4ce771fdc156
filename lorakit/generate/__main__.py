"""The main module of the generation child."""

import sys

from lorakit.contracts import GenerateSpec
from lorakit.rundir import Run, execute


def task(run: Run[GenerateSpec]) -> dict[str, float]:
    """Generate. The slow imports happen here, while lock and lease are held."""
    from lorakit.generate.generation import generate

    return generate(run)


if __name__ == "__main__":
    sys.exit(execute(GenerateSpec, task, area="generation"))
