"""Estimates of a training before it starts: rows, steps, seconds and cost, and what they are based on."""

from dataclasses import dataclass

from adapters.estimates.examples import examples_per_row
from adapters.estimates.lengths import read_lengths
from adapters.estimates.machines import training_machine
from adapters.models import AdapterVersion, BaseModel
from adapters.recipes.hyperparameters import Hyperparameters
from corpora.models import DatasetVersion
from jobs.backends import compute
from jobs.kinds import get_kind
from jobs.prices import price_of

START_SECONDS = 20.0
"""Start-up, loading the base model and packing, until a run has measured them."""

SYNTHETIC_FLOP_PER_SECOND = 40e9
"""For the synthetic base model on one CPU core: about 3,400 tokens per second (docs/benchmarks.md has 4,300)."""

CPU_FLOP_PER_SECOND = 100e9
"""For SmolLM2 on one CPU core with AVX-512: about 125 tokens per second in fp32, and half as many again in bf16."""

GPU_FLOP_PER_SECOND = 50e12
"""Assumed for one data-centre GPU in 4-bit training."""

FLOP_PER_PARAMETER = 6
"""Operations of a token: two forward, two for its gradients, and two forward again for checkpointed blocks."""


@dataclass(frozen=True, kw_only=True)
class Pace:
    """Training speed in tokens per second, overhead in seconds, and where both figures come from."""

    tokens_per_second: float
    start_seconds: float
    source: str


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """`rows` are those short enough to be trained on, and become `examples` with `tokens` in all, once an epoch.

    `seconds` is rough; `source` says what it rests on. `usd` is its price at `usd_per_hour`;
    both are None where no price is known.
    """

    rows: int
    examples: int
    tokens: float
    steps: int
    seconds: float
    source: str
    usd_per_hour: float | None
    price_source: str

    @property
    def usd(self) -> float | None:
        return None if self.usd_per_hour is None else self.seconds / 3600 * self.usd_per_hour


def estimate_training(
    *, dataset_version: DatasetVersion, base_model: BaseModel, hyperparameters: Hyperparameters
) -> Estimate:
    """Estimate a training of the active tenant. Read-only."""
    pace = _pace(base_model)
    lengths, limit = read_lengths(dataset_version), hyperparameters.max_length
    rows = round(dataset_version.train_count * (1 - (lengths.share_longer_than(limit) or 0.0)))
    per_row = examples_per_row(dataset_version, base_model, hyperparameters.learn)
    examples, tokens = round(rows * per_row.examples), lengths.mean_up_to(limit) * per_row.tokens * rows
    tokens_read = tokens / max(examples, 1) * hyperparameters.rows_read(examples)
    price = price_of(compute[get_kind("training").backend({})].on(base_model.training_instance))
    return Estimate(
        rows=rows,
        examples=examples,
        tokens=tokens,
        steps=hyperparameters.steps(examples),
        seconds=pace.start_seconds + tokens_read / pace.tokens_per_second,
        source=pace.source,
        usd_per_hour=None if price.usd is None else float(price.usd),
        price_source=price.source,
    )


def _pace(base_model: BaseModel) -> Pace:
    # One that was taken up again was billed for starting twice and for steps that it did twice.
    last = (
        AdapterVersion.objects.filter(
            adapter__base_model=base_model,
            run__resumed_from=None,
            run__job__attempt__lte=1,
            metrics__train_seconds__gt=0,
            metrics__tokens__gt=0,
        )
        .select_related("adapter", "run__job")
        .order_by("-created_at")
        .first()
    )
    if last is None:
        return _assumed_pace(base_model)
    seconds = last.metrics["train_seconds"]
    tokens_per_second = last.metrics["tokens"] / seconds
    return Pace(
        tokens_per_second=tokens_per_second,
        start_seconds=max(0.0, last.run.job.billable_seconds - seconds),
        source=f"Based on your last training on this base model, {last}: {_tokens(tokens_per_second)} per second.",
    )


def _assumed_pace(base_model: BaseModel) -> Pace:
    # A model as small as the synthetic one is no faster on a GPU.
    on_cpu = base_model.is_synthetic or training_machine(base_model).is_cpu
    flop_per_second = _cpu_flop_per_second(base_model) if on_cpu else GPU_FLOP_PER_SECOND
    tokens_per_second = flop_per_second / (FLOP_PER_PARAMETER * max(base_model.parameters, 1_000_000))
    return Pace(
        tokens_per_second=tokens_per_second,
        start_seconds=START_SECONDS,
        source=(
            f"Assumed, because you have no training on this base model yet: {_tokens(tokens_per_second)} "
            f"per second on one {'CPU core' if on_cpu else 'GPU'}."
        ),
    )


def _cpu_flop_per_second(base_model: BaseModel) -> float:
    return SYNTHETIC_FLOP_PER_SECOND if base_model.is_synthetic else CPU_FLOP_PER_SECOND


def _tokens(count: float) -> str:
    return f"{count:,.0f} tokens" if count >= 10 else f"{count:.1f} tokens"
