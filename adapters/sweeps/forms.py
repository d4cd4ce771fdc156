"""The form of a new sweep."""

from __future__ import annotations

from typing import Any

from django import forms

from adapters.sweeps.grids import SWEPT
from adapters.training.forms import TrainingForm


class ValuesField(forms.Field):
    """Numbers separated by commas; an empty field is an empty list."""

    def to_python(self, value: Any) -> list[float]:
        parts = [part for part in str(value or "").replace(";", ",").split(",") if part.strip()]
        try:
            return [float(part) for part in parts]
        except ValueError:
            raise forms.ValidationError("Enter numbers separated by commas, such as 8, 16, 32.") from None

    def prepare_value(self, value: Any) -> Any:
        return ", ".join(f"{number:g}" for number in value) if isinstance(value, list) else value


class SweepForm(TrainingForm):
    """A training's form with a list of values for each number that can be swept."""

    ranks = ValuesField(label="Ranks", required=False, initial="8, 16")
    learning_rates = ValuesField(label="Learning rates", required=False, initial="")
    epoch_counts = ValuesField(label="Epochs", required=False, initial="")

    LISTS = {"rank": "ranks", "learning_rate": "learning_rates", "epochs": "epoch_counts"}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in (*SWEPT, "evaluate"):
            del self.fields[name]

    def list_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in self.LISTS.values()]

    def grid(self) -> dict[str, list[float]]:
        """The lists that are not empty; for the others the recipe's value is used."""
        values = {name: self.cleaned_data.get(field) for name, field in self.LISTS.items()}
        return {name: numbers for name, numbers in values.items() if numbers}
