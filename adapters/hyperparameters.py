"""The numbers of a training: their limits, a person's own values, and how those differ from the recipe's."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from adapters.models import BaseModel
from tenants.errors import PortalError


@dataclass(frozen=True, kw_only=True)
class Hyperparameters:
    """A step takes `batch_size` rows `gradient_accumulation` times; `max_length` is in tokens a row."""

    rank: int
    alpha: int
    target_modules: Literal["all-linear"] | tuple[str, ...]
    epochs: float
    learning_rate: float
    batch_size: int
    gradient_accumulation: int
    max_length: int

    @property
    def rows_per_step(self) -> int:
        return self.batch_size * self.gradient_accumulation

    def steps(self, rows: int) -> int:
        """Optimiser steps for so many rows, counted as transformers' Trainer does."""
        batches = math.ceil(rows / self.batch_size)
        per_epoch = max(1, math.ceil(batches / self.gradient_accumulation))
        return math.ceil(self.epochs * per_epoch)

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, kw_only=True)
class Limit:
    """What a person may set: a number from `low` to `high`, a whole one if `whole`."""

    title: str
    low: float
    high: float
    whole: bool = True


LIMITS: dict[str, Limit] = {
    "rank": Limit(title="Rank", low=1, high=64),
    "alpha": Limit(title="Alpha", low=1, high=256),
    "epochs": Limit(title="Epochs", low=0.1, high=20, whole=False),
    "learning_rate": Limit(title="Learning rate", low=1e-6, high=5e-2, whole=False),
    "batch_size": Limit(title="Batch size", low=1, high=64),
    "max_length": Limit(title="Longest row in tokens", low=16, high=131_072),
}


@dataclass(frozen=True, kw_only=True)
class Difference:
    """A setting that is not as the recipe advises."""

    name: str
    title: str
    advised: float
    chosen: float


def apply_overrides(
    advised: Hyperparameters, overrides: Mapping[str, Any], *, base_model: BaseModel
) -> Hyperparameters:
    """The recipe's numbers with a person's own; raises PortalError naming the field at fault.

    Unless alpha is set too, it follows the rank, so that their ratio stays the recipe's.
    """
    chosen = {name: _checked(name, value, base_model) for name, value in overrides.items()}
    if "rank" in chosen and "alpha" not in chosen:
        chosen["alpha"] = max(1, round(chosen["rank"] * advised.alpha / advised.rank))
    return replace(advised, **chosen)


def differences(advised: Hyperparameters, chosen: Hyperparameters) -> list[Difference]:
    """What differs from the recipe, in the order of the form."""
    return [
        Difference(name=name, title=limit.title, advised=getattr(advised, name), chosen=getattr(chosen, name))
        for name, limit in LIMITS.items()
        if getattr(advised, name) != getattr(chosen, name)
    ]


def _checked(name: str, value: object, base_model: BaseModel) -> Any:
    limit = LIMITS.get(name)
    if limit is None:
        text = f"“{name}” cannot be set. Choose among {', '.join(LIMITS)}."
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
        f"{limit.title} must be {number} from {limit.low:g} to {high:,.10g}.",
        code="training:bad_setting",
        field=name,
    )
