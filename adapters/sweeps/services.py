"""Writes to sweeps."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.db import transaction

from adapters.models import BaseModel, Sweep, TrainingRun
from adapters.recipes.catalogue import get_recipe
from adapters.recipes.hyperparameters import apply_overrides
from adapters.sweeps.grids import Grid, check_grid, combinations
from adapters.training.services import adapter_called, check_template, check_trainable, queue_run
from corpora.models import DatasetVersion
from jobs.services import stop_job
from jobs.states import TERMINAL
from rest.errors import Conflict, NotFound
from tenants.audit.services import record_event
from tenants.models import Tenant, User


@transaction.atomic
def start_sweep(
    *,
    tenant: Tenant,
    adapter_name: str,
    dataset_version: DatasetVersion,
    base_model: BaseModel | None,
    recipe: str,
    overrides: Mapping[str, Any],
    grid: Grid,
    created_by: User | None = None,
) -> Sweep:
    """Queue a training for every combination in the grid; values in the grid take precedence over `overrides`."""
    check_grid(grid)
    check_trainable(dataset_version)
    adapter = adapter_called(tenant, adapter_name, base_model, created_by)
    check_template(dataset_version, adapter.base_model)
    advised = get_recipe(recipe).for_base(adapter.base_model, dataset_version.train_count).hyperparameters
    wanted = [
        apply_overrides(advised, {**overrides, **chosen}, base_model=adapter.base_model)
        for chosen in combinations(grid)
    ]
    sweep: Sweep = Sweep.objects.create(
        tenant=tenant,
        adapter=adapter,
        grid={name: list(values) for name, values in grid.items()},
        created_by=created_by,
    )
    record_event("sweep.started", sweep, after={"adapter": adapter.name, "grid": sweep.grid})
    for hyperparameters in wanted:
        queue_run(
            TrainingRun(
                tenant=tenant,
                adapter=adapter,
                dataset_version=dataset_version,
                recipe=recipe,
                hyperparameters=hyperparameters.to_dict(),
                sweep=sweep,
                created_by=created_by,
            )
        )
    return sweep


@transaction.atomic
def stop_sweep(*, sweep_id: UUID) -> Sweep:
    """Stop every run of the sweep that has not ended. Repeating the call has no effect."""
    sweep = Sweep.objects.filter(id=sweep_id).first()
    if sweep is None:
        raise NotFound("Sweep not found.")
    for job_id in sweep.runs.exclude(job__state__in=TERMINAL).values_list("job_id", flat=True):
        try:
            stop_job(job_id=job_id)
        except Conflict:
            # It ended just now.
            continue
    record_event("sweep.stopped", sweep)
    return sweep
