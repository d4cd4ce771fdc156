"""The grid of a sweep: values for a few hyperparameters. Each combination is one run."""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from adapters.recipes.hyperparameters import LIMITS
from rest.errors import PortalError

SWEPT = ("rank", "learning_rate", "epochs")
MAX_RUNS = 12

Grid = Mapping[str, Sequence[float]]


def check_grid(grid: Grid) -> None:
    """Raise PortalError unless the grid has 2 to `MAX_RUNS` distinct combinations."""
    for name, values in grid.items():
        if name not in SWEPT:
            text = f"“{name}” can’t be swept. Choose one of: {', '.join(SWEPT)}."
            raise PortalError(text, code="training:unknown_setting", field=name)
        if len(set(values)) != len(values) or not values:
            text = f"Enter at least one value for {LIMITS[name].title.lower()}, and each value only once."
            raise PortalError(text, code="training:bad_setting", field=name)
    runs = count_runs(grid)
    if runs < 2:
        text = "A sweep needs at least two values for one setting. Add a value, or start a single training instead."
        raise PortalError(text, code="training:sweep_too_small", field="grid")
    if runs > MAX_RUNS:
        text = f"These are {runs} combinations; at most {MAX_RUNS} are trained in one sweep. Leave out some values."
        raise PortalError(text, code="training:sweep_too_large", field="grid")


def count_runs(grid: Grid) -> int:
    """Combinations in the grid."""
    runs = 1
    for values in grid.values():
        runs *= len(values)
    return runs


def combinations(grid: Grid) -> Iterator[dict[str, Any]]:
    """Every combination, as overrides."""
    for values in itertools.product(*grid.values()):
        yield dict(zip(grid, values, strict=True))
