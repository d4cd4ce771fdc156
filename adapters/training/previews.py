"""Preview of a training: the recipe's values and reasons, custom values, and the estimate."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from adapters.base_models.queries import base_models_to_choose
from adapters.estimates.launch import Launch, describe_launch
from adapters.models import Adapter, BaseModel
from adapters.recipes.catalogue import Advice, Recipe, get_recipe
from adapters.recipes.hyperparameters import TITLES, Difference, Hyperparameters, apply_overrides, describe, differences
from adapters.recipes.measured import Measured
from adapters.recipes.suggestion import Suggestion, suggested_for
from adapters.training.services import base_model_for, check_name, check_template, check_trainable
from corpora.models import DatasetVersion
from corpora.versions.caveats import Caveat, caveats_of

SHOWN = (
    "rank",
    "alpha",
    "target_modules",
    "epochs",
    "max_steps",
    "learning_rate",
    "batch_size",
    "gradient_accumulation",
    "max_length",
    "learn",
)


@dataclass(frozen=True, kw_only=True)
class Setting:
    """One setting with its reason; `is_own` if it is a custom value."""

    title: str
    value: str
    reason: str
    is_own: bool


@dataclass(frozen=True, kw_only=True)
class Preview:
    """`launch` is None and `data_findings` are empty until a dataset is chosen.

    `better_base` is a base model of real language that could be chosen instead of a synthetic one. `measured` is what
    the reasons quote, of this base model or the nearest one. `suggestion` is the recipe that fits the data, whichever
    was chosen.
    """

    recipe: Recipe
    adapter_name: str
    is_new_adapter: bool
    base_model: BaseModel
    hyperparameters: Hyperparameters
    settings: list[Setting]
    differences: list[Difference]
    launch: Launch | None
    data_findings: list[Caveat]
    better_base: BaseModel | None
    measured: Measured | None
    suggestion: Suggestion | None

    @property
    def is_measured_here(self) -> bool:
        """Whether `measured` is of this base model."""
        return self.measured is not None and self.measured.is_of(self.base_model)

    @property
    def warnings(self) -> int:
        """The number of warnings, about the launch and about the data."""
        about_data = sum(finding.severity == "warning" for finding in self.data_findings)
        return about_data + (len(self.launch.warnings) if self.launch else 0)


def preview_training(
    *,
    adapter_name: str,
    dataset_version: DatasetVersion | None,
    base_model: BaseModel | None,
    recipe: str,
    overrides: Mapping[str, Any],
) -> Preview:
    """What start_training would do with the same arguments; raises the same PortalErrors, writes nothing."""
    if adapter_name:
        check_name(adapter_name)
    if dataset_version is not None:
        check_trainable(dataset_version)
    base = base_model_for(adapter_name=adapter_name, base_model=base_model)
    if dataset_version is not None:
        check_template(dataset_version, base)
    chosen_recipe = get_recipe(recipe)
    advice = chosen_recipe.for_base(base, dataset_version.train_count if dataset_version else None)
    numbers = apply_overrides(advice.hyperparameters, overrides, base_model=base)
    return Preview(
        recipe=chosen_recipe,
        adapter_name=adapter_name,
        is_new_adapter=not Adapter.objects.filter(name=adapter_name).exists(),
        base_model=base,
        hyperparameters=numbers,
        settings=_settings(advice, numbers),
        differences=differences(advice.hyperparameters, numbers),
        launch=describe_launch(dataset_version=dataset_version, base_model=base, hyperparameters=numbers)
        if dataset_version is not None
        else None,
        data_findings=caveats_of(dataset_version) if dataset_version is not None else [],
        better_base=base_models_to_choose().filter(is_synthetic=False).first() if base.is_synthetic else None,
        measured=advice.measured,
        suggestion=suggested_for(dataset_version.profile) if dataset_version is not None else None,
    )


def title_of(name: str) -> str:
    """A hyperparameter's name as pages show it."""
    return TITLES[name]


def _settings(advice: Advice, chosen: Hyperparameters) -> list[Setting]:
    return [
        Setting(
            title=title_of(name),
            value=describe(getattr(chosen, name)),
            reason=advice.reasons.get(name, "Replaces epochs."),
            is_own=getattr(chosen, name) != getattr(advice.hyperparameters, name),
        )
        for name in SHOWN
        if getattr(chosen, name) is not None
    ]
