"""What a filled-in form would start: the recipe's numbers and reasons, the person's own, the estimate."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from adapters.estimates import Estimate, estimate_training
from adapters.hyperparameters import Difference, Hyperparameters, apply_overrides, differences
from adapters.models import BaseModel
from adapters.recipes import Advice, Recipe, get_recipe
from adapters.services import base_model_for, check_trainable
from corpora.models import DatasetVersion

SHOWN = ("rank", "alpha", "target_modules", "epochs", "learning_rate")
TITLES = {
    "rank": "Rank",
    "alpha": "Alpha",
    "target_modules": "Layers",
    "epochs": "Epochs",
    "learning_rate": "Learning rate",
}


@dataclass(frozen=True, kw_only=True)
class Setting:
    """One line of the table: a number and why the recipe has it; `is_own` if the person replaced it."""

    title: str
    value: str
    reason: str
    is_own: bool


@dataclass(frozen=True, kw_only=True)
class Preview:
    """`estimate` is missing as long as no dataset is chosen."""

    recipe: Recipe
    base_model: BaseModel
    settings: list[Setting]
    differences: list[Difference]
    estimate: Estimate | None


def preview_training(
    *,
    adapter_name: str,
    dataset_version: DatasetVersion | None,
    base_model: BaseModel | None,
    recipe: str,
    overrides: Mapping[str, Any],
) -> Preview:
    """What start_training would do with the same arguments; raises the same PortalErrors, writes nothing."""
    if dataset_version is not None:
        check_trainable(dataset_version)
    base = base_model_for(adapter_name=adapter_name, base_model=base_model)
    chosen_recipe = get_recipe(recipe)
    advice = chosen_recipe.for_base(base)
    numbers = apply_overrides(advice.hyperparameters, overrides, base_model=base)
    return Preview(
        recipe=chosen_recipe,
        base_model=base,
        settings=_settings(advice, numbers),
        differences=differences(advice.hyperparameters, numbers),
        estimate=estimate_training(dataset_version=dataset_version, base_model=base, hyperparameters=numbers)
        if dataset_version is not None
        else None,
    )


def describe_modules(modules: str | list[str] | tuple[str, ...]) -> str:
    """`all linear layers`, or the names of the layers."""
    return "all linear layers" if isinstance(modules, str) else ", ".join(modules)


def _settings(advice: Advice, chosen: Hyperparameters) -> list[Setting]:
    settings = []
    for name in SHOWN:
        value = getattr(chosen, name)
        settings.append(
            Setting(
                title=TITLES[name],
                value=describe_modules(value) if name == "target_modules" else f"{value:g}",
                reason=advice.reasons[name],
                is_own=value != getattr(advice.hyperparameters, name),
            )
        )
    return settings
