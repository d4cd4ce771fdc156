"""Preview of a sweep: the estimate of all its runs together."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from adapters.estimates.launch import describe_launch
from adapters.estimates.time_and_cost import Estimate
from adapters.models import BaseModel
from adapters.recipes.catalogue import get_recipe
from adapters.recipes.hyperparameters import apply_overrides
from adapters.sweeps.grids import Grid, check_grid, combinations
from adapters.training.services import base_model_for, check_name, check_template, check_trainable
from corpora.models import DatasetVersion
from corpora.versions.caveats import Caveat, caveats_of
from jobs.prices import total_or_unknown


@dataclass(frozen=True, kw_only=True)
class SweepPreview:
    """Totals of all runs; `seconds` if they run one after the other. Zero until a dataset is chosen.

    `usd` is None where no price is known.

    `warnings` are those of all runs without repetition, `data_findings` those of the dataset.
    """

    runs: int
    seconds: float
    usd: float | None
    estimate: Estimate | None
    warnings: tuple[str, ...] = ()
    data_findings: Sequence[Caveat] = ()


def preview_sweep(
    *,
    adapter_name: str,
    dataset_version: DatasetVersion | None,
    base_model: BaseModel | None,
    recipe: str,
    overrides: Mapping[str, Any],
    grid: Grid,
) -> SweepPreview:
    """What start_sweep would do with the same arguments; raises the same PortalErrors, writes nothing."""
    check_grid(grid)
    if adapter_name:
        check_name(adapter_name)
    if dataset_version is not None:
        check_trainable(dataset_version)
    base = base_model_for(adapter_name=adapter_name, base_model=base_model)
    if dataset_version is not None:
        check_template(dataset_version, base)
    rows = dataset_version.train_count if dataset_version else None
    advised = get_recipe(recipe).for_base(base, rows).hyperparameters
    runs = [apply_overrides(advised, {**overrides, **chosen}, base_model=base) for chosen in combinations(grid)]
    if dataset_version is None:
        return SweepPreview(runs=len(runs), seconds=0.0, usd=0.0, estimate=None)
    launches = [
        describe_launch(dataset_version=dataset_version, base_model=base, hyperparameters=numbers) for numbers in runs
    ]
    estimates = [launch.estimate for launch in launches]
    return SweepPreview(
        runs=len(runs),
        seconds=sum(estimate.seconds for estimate in estimates),
        usd=total_or_unknown(estimate.usd for estimate in estimates),
        estimate=estimates[0],
        warnings=tuple(dict.fromkeys(warning for launch in launches for warning in launch.warnings)),
        data_findings=caveats_of(dataset_version),
    )
