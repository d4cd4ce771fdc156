"""The choices behind a run, to start a similar one."""

from dataclasses import dataclass
from typing import Any

from adapters.models import BaseModel, TrainingRun
from adapters.recipes.catalogue import get_recipe
from adapters.recipes.hyperparameters import Hyperparameters, overrides_between
from corpora.models import DatasetVersion


@dataclass(frozen=True, kw_only=True)
class Clone:
    """The arguments of start_training; `overrides` are the differences from the recipe as it is today."""

    adapter_name: str
    dataset_version: DatasetVersion
    base_model: BaseModel
    recipe: str
    overrides: dict[str, Any]

    def as_arguments(self) -> dict[str, Any]:
        """Arguments of start_training."""
        return {
            "adapter_name": self.adapter_name,
            "dataset_version": self.dataset_version,
            "base_model": self.base_model,
            "recipe": self.recipe,
            "overrides": self.overrides,
        }

    def as_initial(self) -> dict[str, Any]:
        """Initial values of the training form."""
        return {
            "adapter": self.adapter_name,
            "dataset_version": str(self.dataset_version.id),
            "base_model": self.base_model.pk,
            "recipe": self.recipe,
            **self.overrides,
        }


def cloned(run: TrainingRun) -> Clone:
    """The choices that made `run`; raises PortalError if the recipe no longer exists."""
    base_model = run.adapter.base_model
    advised = get_recipe(run.recipe).for_base(base_model, run.dataset_version.train_count).hyperparameters
    return Clone(
        adapter_name=run.adapter.name,
        dataset_version=run.dataset_version,
        base_model=base_model,
        recipe=run.recipe,
        overrides=overrides_between(advised, Hyperparameters.from_dict(run.hyperparameters)),
    )
