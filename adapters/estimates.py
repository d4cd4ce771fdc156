"""What a training will take, told before it starts: rows, steps, seconds and cost, and how sure that is."""

from dataclasses import dataclass

from adapters.hyperparameters import Hyperparameters
from adapters.lengths import read_lengths
from adapters.models import AdapterVersion, BaseModel
from corpora.models import DatasetVersion
from jobs.backends import compute
from jobs.kinds import get_kind

START_SECONDS = 20.0
"""Starting Python, loading the libraries and the base, packing: as long as no run has shown it."""

TINY_ROWS_PER_SECOND = 40.0
"""Measured with the synthetic base on one CPU core."""

GPU_FLOP_PER_SECOND = 50e12
"""Assumed to be sustained by one data-centre GPU in 4-bit training."""


@dataclass(frozen=True, kw_only=True)
class Pace:
    """How fast rows are trained on, seconds that come on top, and where both figures come from."""

    rows_per_second: float
    start_seconds: float
    source: str


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """`seconds` is rough; `source` says what it rests on. `usd` is its price at `usd_per_hour`."""

    rows: int
    steps: int
    seconds: float
    source: str
    usd_per_hour: float
    price_source: str

    @property
    def usd(self) -> float:
        return self.seconds / 3600 * self.usd_per_hour


def estimate_training(
    *, dataset_version: DatasetVersion, base_model: BaseModel, hyperparameters: Hyperparameters
) -> Estimate:
    """Estimate a training of the active tenant; reads only."""
    steps = hyperparameters.steps(dataset_version.train_count)
    pace = _pace(base_model, dataset_version)
    backend = compute[get_kind("training").backend({})]
    return Estimate(
        rows=dataset_version.train_count,
        steps=steps,
        seconds=pace.start_seconds + steps * hyperparameters.rows_per_step / pace.rows_per_second,
        source=pace.source,
        usd_per_hour=backend.usd_per_hour,
        price_source=backend.price_source,
    )


def _pace(base_model: BaseModel, dataset_version: DatasetVersion) -> Pace:
    last = (
        AdapterVersion.objects.filter(adapter__base_model=base_model, metrics__train_seconds__gt=0)
        .select_related("adapter", "run__job")
        .order_by("-created_at")
        .first()
    )
    if last is not None:
        used = last.run.hyperparameters
        rows = last.metrics["steps"] * used["batch_size"] * used["gradient_accumulation"]
        seconds = last.metrics["train_seconds"]
        return Pace(
            rows_per_second=max(rows, 1) / seconds,
            start_seconds=max(0.0, last.run.job.billable_seconds - seconds),
            source=f"As fast as your last training on this base model, {last}.",
        )
    if base_model.is_synthetic:
        source = f"Assumed: {TINY_ROWS_PER_SECOND:.0f} rows a second, as measured on one CPU core."
        return Pace(rows_per_second=TINY_ROWS_PER_SECOND, start_seconds=START_SECONDS, source=source)
    return _assumed_gpu_pace(base_model, dataset_version)


def _assumed_gpu_pace(base_model: BaseModel, dataset_version: DatasetVersion) -> Pace:
    """By arithmetic: training takes about six operations per parameter and token."""
    tokens_per_second = GPU_FLOP_PER_SECOND / (6 * max(base_model.parameters, 1_000_000))
    tokens_per_row = read_lengths(dataset_version).mean
    return Pace(
        rows_per_second=tokens_per_second / tokens_per_row,
        start_seconds=START_SECONDS,
        source=(
            f"Assumed, for nothing was trained on this base model yet: {tokens_per_second:,.0f} tokens "
            f"a second on one GPU, about {tokens_per_row:,.0f} tokens a row."
        ),
    )
