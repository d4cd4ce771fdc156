"""What was measured of the recipes, by base model: the one place of these figures.

They are written by hand from what `make bench-recipes` reports (var/bench/recipes-runs.jsonl): for each setting the
exact match of every seed, from the first. The pages, the reasons of the advice and the table in docs/benchmarks.md are
all made from them, so another seed is one more number in each tuple that has it.
"""

import math
from dataclasses import dataclass
from datetime import date
from statistics import fmean

from adapters.models import BaseModel


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One setting. `exact_match` has a share of the held-out rows, 0..1, for each seed; `seconds` are of one core."""

    setting: str
    exact_match: tuple[float, ...]
    seconds: int
    megabytes: int

    @property
    def mean(self) -> float:
        return fmean(self.exact_match)

    @property
    def spread(self) -> float | None:
        """The largest less the smallest; None for one seed."""
        return max(self.exact_match) - min(self.exact_match) if len(self.exact_match) > 1 else None


@dataclass(frozen=True, kw_only=True)
class Measured:
    """What was measured on one base: `figures` by a short name, of which "usual" is the advice itself.

    A base is told by `architecture` and `parameters`, for the hash of its files changes with every conversion.
    """

    title: str
    architecture: str
    parameters: int
    task: str
    held_out: int
    usual: str
    base_exact_match: float
    figures: dict[str, Figure]
    measured_on: date

    @property
    def seeds(self) -> int:
        """The number of seeds that every figure has."""
        return min(len(figure.exact_match) for figure in self.figures.values())

    @property
    def noise(self) -> float:
        """How far the usual figure may be off either way, 19 times out of 20, for the number of held-out rows alone."""
        share = self.figures["usual"].mean
        return 1.96 * math.sqrt(share * (1 - share) / self.held_out)

    def is_of(self, base_model: BaseModel) -> bool:
        """Whether this was measured on that base, or one of the same shape."""
        return (self.architecture, self.parameters) == (base_model.architecture, base_model.parameters)

    def said(self, name: str) -> str:
        """The exact match of one figure as reasons quote it, such as "0.71"."""
        return f"{self.figures[name].mean:.2f}"


SMOLLM2 = Measured(
    title="SmolLM2 135M",
    architecture="LlamaForCausalLM",
    parameters=134_515_008,
    task="message of a bank’s customer to one of 15 intents",
    held_out=105,
    usual="rank 16, alpha 32, all layers, 300 rows, three epochs, learning rate 1e-3, batches of 8",
    base_exact_match=0.0,
    figures={
        "usual": Figure(setting="usual settings", exact_match=(0.733, 0.686, 0.762), seconds=201, megabytes=18),
        "rank_8": Figure(setting="rank 8", exact_match=(0.695, 0.686, 0.648), seconds=210, megabytes=9),
        "rank_32": Figure(setting="rank 32", exact_match=(0.733, 0.743, 0.810), seconds=226, megabytes=36),
        "alpha_r": Figure(
            setting="alpha equal to the rank", exact_match=(0.705, 0.686, 0.638), seconds=216, megabytes=18
        ),
        "alpha_4r": Figure(
            setting="alpha four times the rank", exact_match=(0.752, 0.762, 0.810), seconds=213, megabytes=18
        ),
        "attention": Figure(
            setting="attention layers only", exact_match=(0.590, 0.562, 0.524), seconds=180, megabytes=7
        ),
        "value_and_output": Figure(
            setting="value and output only", exact_match=(0.486, 0.448, 0.457), seconds=169, megabytes=3
        ),
        "value_and_output_lr_2e-3": Figure(
            setting="value and output only, learning rate 2e-3",
            exact_match=(0.590, 0.562, 0.600),
            seconds=169,
            megabytes=3,
        ),
        "rows_75": Figure(setting="75 rows", exact_match=(0.314, 0.314, 0.343), seconds=57, megabytes=18),
        "rows_150": Figure(setting="150 rows", exact_match=(0.562, 0.562, 0.524), seconds=107, megabytes=18),
        "rows_75_epochs_9": Figure(
            setting="75 rows, nine epochs", exact_match=(0.514, 0.429, 0.467), seconds=168, megabytes=18
        ),
        "rows_30": Figure(setting="30 rows", exact_match=(0.029, 0.086, 0.086), seconds=25, megabytes=18),
        "rows_30_epochs_20": Figure(
            setting="30 rows, twenty epochs", exact_match=(0.305, 0.333, 0.429), seconds=159, megabytes=18
        ),
    },
    measured_on=date(2026, 11, 29),
)

MEASURED = (SMOLLM2,)


def measured_on(base_model: BaseModel) -> Measured | None:
    """What was measured on this base, or None."""
    return next((measured for measured in MEASURED if measured.is_of(base_model)), None)
