"""Whether a training is ready to start: rows, memory, and whether its adapter can be served."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.conf import settings
from django.template.defaultfilters import filesizeformat

from adapters.base_models.shapes import read_shape
from adapters.estimates.lengths import RowLengths, read_lengths
from adapters.estimates.machines import Machine, training_machine
from adapters.estimates.memory import TrainingMemory, adapter_bytes, training_memory
from adapters.estimates.time_and_cost import Estimate, estimate_training
from adapters.models import BaseModel
from adapters.recipes.hyperparameters import Hyperparameters
from corpora.models import DatasetVersion

FEW_ROWS = 100
"""With fewer, an adapter memorises rows instead of learning the task (docs/base-model.md)."""


@dataclass(frozen=True, kw_only=True)
class Launch:
    """`tokens` are read in one pass over the rows; `memory` and `adapter_bytes` are None for a base of unknown shape.

    `memory` is for rows of `longest` tokens: the longest that was counted, or else as long as a row may be.
    `share_too_long` of the rows would be left out; None where no sample says.
    """

    estimate: Estimate
    lengths: RowLengths
    tokens: int
    share_too_long: float | None
    machine: Machine
    longest: int
    memory: TrainingMemory | None
    adapter_bytes: int | None
    rank: int
    highest_rank: int
    warnings: tuple[str, ...]

    @property
    def fits(self) -> bool | None:
        """Whether the training fits in GPU memory. None if either is unknown."""
        if self.memory is None or self.machine.gpu_bytes is None:
            return None
        return self.memory.fits(self.machine.gpu_bytes)

    @property
    def can_be_served(self) -> bool:
        return self.rank <= self.highest_rank


def describe_launch(
    *, dataset_version: DatasetVersion, base_model: BaseModel, hyperparameters: Hyperparameters
) -> Launch:
    """Estimates a training and collects warnings. Read-only."""
    lengths = read_lengths(dataset_version)
    shape = read_shape(base_model)
    machine = training_machine(base_model)
    longest = min(hyperparameters.max_length, lengths.maximum or hyperparameters.max_length)
    memory = training_memory(shape, hyperparameters, row_tokens=longest) if shape else None
    share = lengths.share_longer_than(hyperparameters.max_length)
    estimate = estimate_training(
        dataset_version=dataset_version, base_model=base_model, hyperparameters=hyperparameters
    )
    return Launch(
        estimate=estimate,
        lengths=lengths,
        tokens=round(estimate.tokens),
        share_too_long=share,
        machine=machine,
        longest=longest,
        memory=memory,
        adapter_bytes=adapter_bytes(shape, hyperparameters) if shape else None,
        rank=hyperparameters.rank,
        highest_rank=settings.MAX_LORA_RANK,
        warnings=(
            *_about_rows(dataset_version, hyperparameters, share, estimate.rows),
            *_about_memory(memory, machine),
            *_about_serving(hyperparameters),
            *_about_price(estimate),
        ),
    )


def _about_rows(
    version: DatasetVersion, hyperparameters: Hyperparameters, share: float | None, rows: int
) -> Iterator[str]:
    if version.train_count < FEW_ROWS:
        yield (
            f"With only {version.train_count:,} rows, the adapter may learn the form of the answers, but not the task. "
            "Aim for at least 300."
        )
    if not version.test_count:
        yield "No rows are held out, so you can’t tell whether the adapter learns or memorises."
    if not rows:
        yield (
            f"Every sampled row has more than {hyperparameters.max_length:,} tokens, so no rows are left to train on. "
            "Raise the maximum row length, or shorten the rows."
        )
    elif share:
        yield (
            f"About {max(share, 0.001):.1%} of the rows have more than {hyperparameters.max_length:,} tokens "
            "and will be skipped. Raise the maximum row length, or shorten the rows."
        )


def _about_memory(memory: TrainingMemory | None, machine: Machine) -> Iterator[str]:
    if memory is None or machine.gpu_bytes is None or memory.fits(machine.gpu_bytes):
        return
    yield (
        f"This training needs about {filesizeformat(memory.total)} of GPU memory, but a GPU of {machine.title} has "
        f"{filesizeformat(machine.gpu_bytes)}. Lower the batch size or the maximum row length, or ask your site’s "
        "operator for a larger machine."
    )


def _about_serving(hyperparameters: Hyperparameters) -> Iterator[str]:
    if hyperparameters.rank > settings.MAX_LORA_RANK:
        yield (
            f"The endpoint serves adapters up to rank {settings.MAX_LORA_RANK}. You can train this one, but not "
            "promote it."
        )


def _about_price(estimate: Estimate) -> Iterator[str]:
    if estimate.usd_per_hour is None:
        yield "The cost is unknown because no price is set for this machine. Ask your site’s operator to set one."
