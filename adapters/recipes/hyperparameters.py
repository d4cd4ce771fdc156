"""The hyperparameters of a training: limits, custom values, and how they differ from the recipe's."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal, Self

from adapters.models import BaseModel
from lorakit.contracts import Learn
from lorakit.package import MAX_RANK
from rest.errors import PortalError

Modules = Literal["all-linear"] | tuple[str, ...]

ATTENTION = ("q_proj", "k_proj", "v_proj", "o_proj")
VALUE_AND_OUTPUT = ("v_proj", "o_proj")


@dataclass(frozen=True, kw_only=True)
class Hyperparameters:
    """A step takes `batch_size` examples `gradient_accumulation` times; `max_length` is in tokens a row.

    `max_steps`, if set, replaces `epochs`. Runs from before there was a choice have no `learn`.
    """

    rank: int
    alpha: int
    target_modules: Modules
    epochs: float
    learning_rate: float
    batch_size: int
    gradient_accumulation: int
    max_length: int
    max_steps: int | None = None
    learn: Learn = "every_answer"

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """As a run keeps them."""
        modules = values["target_modules"]
        return cls(**{**values, "target_modules": modules if isinstance(modules, str) else tuple(modules)})

    def steps(self, rows: int) -> int:
        """Optimiser steps for this number of rows, or of examples, counted as transformers' Trainer does."""
        if self.max_steps is not None:
            return self.max_steps
        return math.ceil(self.epochs * self._steps_per_epoch(rows))

    def rows_read(self, rows: int) -> float:
        """Rows that all steps together process; a row that is read twice counts twice."""
        return self.steps(rows) * rows / self._steps_per_epoch(rows)

    def _steps_per_epoch(self, rows: int) -> int:
        batches = math.ceil(rows / self.batch_size)
        return max(1, math.ceil(batches / self.gradient_accumulation))

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, kw_only=True)
class Limit:
    """The range of a setting: a number from `low` to `high`, an integer if `whole`."""

    title: str
    low: float
    high: float
    whole: bool = True


@dataclass(frozen=True, kw_only=True)
class Layers:
    """Which layers of the base are adapted, in words."""

    title: str
    modules: Modules


@dataclass(frozen=True, kw_only=True)
class Strength:
    """How strongly the adapter changes the output: alpha as a multiple of the rank."""

    title: str
    factor: int


LIMITS: dict[str, Limit] = {
    "rank": Limit(title="Rank", low=1, high=MAX_RANK),
    "alpha": Limit(title="Alpha", low=1, high=4 * MAX_RANK),
    "epochs": Limit(title="Epochs", low=0.1, high=20, whole=False),
    "max_steps": Limit(title="Steps", low=1, high=100_000),
    "learning_rate": Limit(title="Learning rate", low=1e-6, high=5e-2, whole=False),
    "batch_size": Limit(title="Batch size", low=1, high=64),
    "gradient_accumulation": Limit(title="Gradient accumulation", low=1, high=64),
    "max_length": Limit(title="Maximum row length in tokens", low=16, high=131_072),
}

LAYERS: dict[str, Layers] = {
    "all": Layers(title="Attention and MLP (new knowledge)", modules="all-linear"),
    "attention": Layers(title="All attention (style and nuance)", modules=ATTENTION),
    "value_and_output": Layers(title="Value and output (structure)", modules=VALUE_AND_OUTPUT),
}

STRENGTHS: dict[str, Strength] = {
    "careful": Strength(title="Careful (alpha = rank)", factor=1),
    "standard": Strength(title="Standard (alpha = 2 × rank)", factor=2),
    "aggressive": Strength(title="Aggressive (alpha = 4 × rank)", factor=4),
}


LEARN: dict[str, str] = {"every_answer": "Every answer", "last_answer": "Only the last answer"}
"""Which of the assistant's answers in a conversation are learnt."""

TITLES: dict[str, str] = {
    **{name: limit.title for name, limit in LIMITS.items()},
    "target_modules": "Layers",
    "learn": "Learns",
}
"""Each hyperparameter as pages name it, in the order of the form."""

CHOICES = ("layers", "strength", "learn")
"""Overrides that are a key of a table, not a number."""


@dataclass(frozen=True, kw_only=True)
class Difference:
    """A setting that differs from the recipe's."""

    name: str
    title: str
    advised: str
    chosen: str


def apply_overrides(
    advised: Hyperparameters, overrides: Mapping[str, Any], *, base_model: BaseModel
) -> Hyperparameters:
    """The recipe's hyperparameters with custom values applied. Raises PortalError with the field that is invalid.

    Besides the names in `LIMITS`, `layers` takes a key of `LAYERS`, `learn` one of `LEARN`, and `strength` one of
    `STRENGTHS` in place of alpha. With neither alpha nor strength, alpha scales with the rank to keep the recipe's
    ratio.
    """
    numbers = {name: value for name, value in overrides.items() if name not in CHOICES}
    chosen = {name: _checked(name, value, base_model) for name, value in numbers.items()}
    if "epochs" in chosen and "max_steps" in chosen:
        raise PortalError(
            "Set either epochs or the number of steps, not both.", code="training:bad_setting", field="max_steps"
        )
    if "layers" in overrides:
        chosen["target_modules"] = _one_of(LAYERS, overrides["layers"], "layers").modules
    if "learn" in overrides:
        _one_of(LEARN, overrides["learn"], "learn")
        chosen["learn"] = overrides["learn"]
    if "strength" in overrides:
        if "alpha" in chosen:
            text = "Set either alpha or the strength, not both."
            raise PortalError(text, code="training:bad_setting", field="strength")
        strength = _one_of(STRENGTHS, overrides["strength"], "strength")
        chosen["alpha"] = chosen.get("rank", advised.rank) * strength.factor
    elif "rank" in chosen and "alpha" not in chosen:
        chosen["alpha"] = max(1, round(chosen["rank"] * advised.alpha / advised.rank))
    return replace(advised, **chosen)


def overrides_between(advised: Hyperparameters, chosen: Hyperparameters) -> dict[str, Any]:
    """The overrides that turn `advised` into `chosen`."""
    found = {name: getattr(chosen, name) for name in LIMITS if getattr(chosen, name) != getattr(advised, name)}
    if "rank" in found:
        # Or it would follow the rank.
        found["alpha"] = chosen.alpha
    if chosen.target_modules != advised.target_modules:
        found["layers"] = next(key for key, layers in LAYERS.items() if layers.modules == chosen.target_modules)
    if chosen.learn != advised.learn:
        found["learn"] = chosen.learn
    return found


def differences(advised: Hyperparameters, chosen: Hyperparameters) -> list[Difference]:
    """Everything that differs from the recipe, in the order of the form."""
    return [
        Difference(
            name=name,
            title=title,
            advised=describe(getattr(advised, name)),
            chosen=describe(getattr(chosen, name)),
        )
        for name, title in TITLES.items()
        if getattr(advised, name) != getattr(chosen, name)
    ]


def describe(value: object) -> str:
    """A hyperparameter as people read it: `16`, `0.0002`, `all linear layers`, `every answer`, or `not set`."""
    if value is None:
        return "not set"
    if isinstance(value, str):
        return LEARN[value].lower() if value in LEARN else value.replace("all-linear", "all linear layers")
    if isinstance(value, list | tuple):
        return ", ".join(value)
    return f"{value:g}" if isinstance(value, int | float) else str(value)


def _one_of(choices: Mapping[str, Any], key: object, field: str) -> Any:
    if not isinstance(key, str) or key not in choices:
        text = f"“{key}” is not one of the choices. Choose one of: {', '.join(choices)}."
        raise PortalError(text, code="training:bad_setting", field=field)
    return choices[key]


def _checked(name: str, value: object, base_model: BaseModel) -> Any:
    limit = LIMITS.get(name)
    if limit is None:
        text = f"“{name}” is not a setting. Choose one of: {', '.join([*LIMITS, *CHOICES])}."
        raise PortalError(text, code="training:unknown_setting", field=name)
    high = min(limit.high, base_model.context_length) if name == "max_length" else limit.high
    if isinstance(value, bool) or not isinstance(value, int | float) or not limit.low <= value <= high:
        raise _out_of_range(name, limit, high)
    if limit.whole and value != int(value):
        raise _out_of_range(name, limit, high)
    return int(value) if limit.whole else float(value)


def _out_of_range(name: str, limit: Limit, high: float) -> PortalError:
    number = "a whole number" if limit.whole else "a number"
    return PortalError(
        f"{limit.title} must be {number} from {_plain(limit.low)} to {_plain(high)}.",
        code="training:bad_setting",
        field=name,
    )


def _plain(number: float) -> str:
    """Without an exponent: 0.000001, 0.05, 131,072."""
    return f"{number:,.6f}".rstrip("0").rstrip(".")
