"""The form of a new training."""

from __future__ import annotations

from contextlib import suppress
from typing import Any, cast

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.utils.functional import cached_property

from adapters.base_models.queries import base_models_to_choose
from adapters.models import Adapter, BaseModel
from adapters.recipes.catalogue import RECIPES
from adapters.recipes.hyperparameters import LAYERS, LEARN, LIMITS, STRENGTHS
from corpora.models import DatasetVersion

OFFERED = 200
"""Versions to choose from in the form: more are slow to draw and hard to find one in."""

DEFAULT_RECIPE = "style"
"""What is chosen until a dataset suggests another."""


class DatasetVersionChoice(forms.ModelChoiceField):  # type: ignore[type-arg]
    """Labels each version with its number of training rows."""

    def label_from_instance(self, obj: DatasetVersion) -> str:
        return f"{obj} ({obj.train_count:,} training rows, {obj.test_count:,} held out)"


class TrainingForm(forms.Form):
    """What to train and with which recipe. The optional numbers replace the recipe's."""

    dataset_version = DatasetVersionChoice(
        label="Dataset",
        queryset=None,
        empty_label="Choose a dataset",
        help_text="The newest checked versions are listed. To train on an older one, start from its page.",
    )
    adapter = forms.CharField(
        label="Adapter name",
        max_length=60,
        help_text="A new name, or an existing one for its next version. Use lowercase letters, digits and hyphens.",
        widget=forms.TextInput(attrs={"list": "adapter-names", "autocomplete": "off", "spellcheck": "false"}),
    )
    base_model: forms.ModelChoiceField[BaseModel] = forms.ModelChoiceField(
        label="Base model",
        queryset=None,
        required=False,
        empty_label="Automatic",
        help_text="An existing adapter keeps its base model.",
    )
    recipe = forms.ChoiceField(
        label="What should it learn?",
        choices=[(recipe.key, recipe.title) for recipe in RECIPES.values()],
        initial=DEFAULT_RECIPE,
        widget=forms.RadioSelect,
    )
    learn = forms.ChoiceField(
        label="What the model learns",
        required=False,
        choices=list(LEARN.items()),
        initial="every_answer",
        help_text="Matters where a conversation has several answers. Those with weight 0 are never learnt.",
        widget=forms.RadioSelect,
    )
    layers = forms.ChoiceField(
        label="Layers",
        required=False,
        choices=[("", "Recipe default"), *((key, layers.title) for key, layers in LAYERS.items())],
    )
    strength = forms.ChoiceField(
        label="Strength",
        required=False,
        choices=[("", "Recipe default"), *((key, strength.title) for key, strength in STRENGTHS.items())],
    )
    rank = forms.IntegerField(
        label="Rank", required=False, help_text="8 for structure, 16 for style and nuance, 32 to 64 for new knowledge."
    )
    alpha = forms.IntegerField(label="Alpha", required=False, help_text="Replaces the strength.")
    epochs = forms.FloatField(label="Epochs", required=False, help_text="Number of passes over all rows.")
    max_steps = forms.IntegerField(label="Steps", required=False, help_text="Number of steps. Replaces epochs.")
    learning_rate = forms.FloatField(
        label="Learning rate",
        required=False,
        help_text="If it is too high, the loss jumps. If it is too low, the loss hardly falls.",
    )
    batch_size = forms.IntegerField(
        label="Batch size", required=False, help_text="Rows per batch. More rows need more memory."
    )
    gradient_accumulation = forms.IntegerField(
        label="Gradient accumulation", required=False, help_text="Number of batches averaged for each step."
    )
    evaluate = forms.BooleanField(
        label="Evaluate the new version",
        required=False,
        initial=True,
        help_text="After the training, the new version, the one before and the base answer the held-out rows.",
    )
    max_length = forms.IntegerField(
        label="Maximum row length in tokens", required=False, help_text="Longer rows are skipped, never cut."
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Querysets are built here, not above, for they belong to the tenant of this request. Any version may be sent,
        # for the service says best why one is not ready.
        field = cast(DatasetVersionChoice, self.fields["dataset_version"])
        related = ("dataset", "personal_data_kept_by")
        field.queryset = DatasetVersion.objects.select_related(*related).defer("problems", "profile")
        field.widget.choices = lambda: [("", field.empty_label), *self.ready]
        self._offer_base_models(base_models_to_choose())
        self.adapter_names = list(Adapter.objects.order_by("name").values_list("name", flat=True)[:200])
        for name, limit in LIMITS.items():
            if name in self.fields:
                self.fields[name].widget.attrs["step"] = "1" if limit.whole else "any"

    def _offer_base_models(self, base_models: QuerySet[BaseModel]) -> None:
        """Without a choice, an adapter that exists keeps its base, so the default of new ones is named, not chosen."""
        field = cast(forms.ModelChoiceField, self.fields["base_model"])  # type: ignore[type-arg]
        field.queryset = base_models
        first = list(base_models[:2])
        if first:
            field.empty_label = f"Automatic: {first[0].title} for a new adapter"
        if len(first) == 1:
            field.widget = forms.HiddenInput()

    @cached_property
    def ready(self) -> list[tuple[str, str]]:
        """The newest ready versions by dataset, as (id, label), and the chosen one if it is older."""
        field = cast(DatasetVersionChoice, self.fields["dataset_version"])
        offered = {str(version.id): version for version in self._ready_versions().order_by("-created_at")[:OFFERED]}
        chosen = str(self["dataset_version"].value() or "")
        if chosen and chosen not in offered:
            with suppress(ValidationError):
                offered |= {str(version.id): version for version in self._ready_versions().filter(id=chosen)}
        in_order = sorted(offered.items(), key=lambda item: (item[1].dataset.name, -item[1].number))
        return [(version_id, field.label_from_instance(version)) for version_id, version in in_order]

    def _ready_versions(self) -> QuerySet[DatasetVersion]:
        return DatasetVersion.objects.trainable().select_related("dataset").defer("problems", "profile")

    def clean_adapter(self) -> str:
        name: str = self.cleaned_data["adapter"]
        return name.strip()

    @property
    def override_names(self) -> list[str]:
        """The fields that replace the recipe's numbers."""
        return [name for name in ("layers", "strength", *LIMITS) if name in self.fields]

    def override_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in self.override_names]

    def has_overrides(self) -> bool:
        """Whether any custom value was entered, valid or not."""
        return any(self[name].value() not in (None, "") for name in self.override_names)

    def arguments(self) -> dict[str, Any]:
        """The values entered so far, as arguments of start_training and preview_training."""
        values = {name: self.cleaned_data.get(name) for name in ("learn", *self.override_names)}
        return {
            "adapter_name": self.cleaned_data.get("adapter", ""),
            "dataset_version": self.cleaned_data.get("dataset_version"),
            "base_model": self.cleaned_data.get("base_model"),
            "recipe": self.cleaned_data.get("recipe", ""),
            "overrides": {name: value for name, value in values.items() if value not in (None, "")},
        }
