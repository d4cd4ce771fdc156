"""Several runs side by side: settings, results and curves."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from adapters.models import AdapterVersion, TrainingRun
from adapters.recipes.catalogue import RECIPES
from adapters.recipes.hyperparameters import describe
from adapters.training.charts import comparison_figure
from adapters.training.curves import curve_of
from adapters.training.previews import SHOWN, title_of
from jobs.reports.queries import cost_so_far_usd, report_of
from rest.errors import PortalError

LEAST, MOST = 2, 5


@dataclass(frozen=True, kw_only=True)
class Compared:
    """One of the runs, labelled by `letter`. Losses are the latest ones, None before the first."""

    letter: str
    run: TrainingRun
    version: AdapterVersion | None
    points: list[dict[str, Any]]
    loss: float | None
    eval_loss: float | None
    step: int | None
    tokens_per_second: float | None
    seconds: float | None
    cost_usd: float | None

    @property
    def name(self) -> str:
        """`A: boxes v3`, or the adapter's name for a run without a version."""
        return f"{self.letter}: {self.version or self.run.adapter.name}"


@dataclass(frozen=True, kw_only=True)
class SettingRow:
    """One setting of all runs, by their names, in their order."""

    title: str
    by_run: dict[str, str]

    @property
    def values(self) -> list[str]:
        return list(self.by_run.values())

    @property
    def differs(self) -> bool:
        return len(set(self.values)) > 1


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Two to five runs; `figure` is None before any loss."""

    runs: list[Compared]
    settings: list[SettingRow]
    figure: dict[str, Any] | None

    @property
    def differing(self) -> list[SettingRow]:
        return [row for row in self.settings if row.differs]


def parse_run_ids(values: list[str]) -> list[UUID]:
    """Distinct ids in their order. Raises PortalError for an invalid id."""
    try:
        return list(dict.fromkeys(UUID(value) for value in values))
    except ValueError:
        raise PortalError("Invalid run ID. Select runs from the list.", field="run") from None


def check_count(count: int) -> None:
    """Raise PortalError unless this number of runs can be compared."""
    if not LEAST <= count <= MOST:
        text = f"Select {LEAST} to {MOST} different runs to compare."
        raise PortalError(text, code="training:compare_count", field="runs")


def compare(runs: Sequence[TrainingRun]) -> Comparison:
    """Compare runs that were read by `runs_by_ids`."""
    compared = [_compared(letter, run) for letter, run in zip("ABCDE", runs, strict=False)]
    return Comparison(
        runs=compared,
        settings=[
            SettingRow(title=title, by_run={item.name: value(item.run) for item in compared})
            for title, value in _settings().items()
        ],
        figure=comparison_figure([(item.name, item.points) for item in compared]),
    )


def _compared(letter: str, run: TrainingRun) -> Compared:
    report = report_of(run.job)
    return Compared(
        letter=letter,
        run=run,
        version=getattr(run, "version", None),
        points=curve_of(run, report),
        loss=report.latest.get("loss"),
        eval_loss=report.latest.get("eval_loss"),
        step=report.latest.get("step"),
        tokens_per_second=report.latest.get("tokens_per_second"),
        seconds=run.job.seconds,
        cost_usd=cost_so_far_usd(run.job, report),
    )


def _settings() -> dict[str, Callable[[TrainingRun], str]]:
    def number(name: str) -> Callable[[TrainingRun], str]:
        return lambda run: describe(run.hyperparameters.get(name))

    return {
        "Adapter": lambda run: run.adapter.name,
        "Base model": lambda run: run.adapter.base_model.title,
        "Dataset": lambda run: str(run.dataset_version),
        "Recipe": lambda run: RECIPES[run.recipe].title if run.recipe in RECIPES else run.recipe,
        **{title_of(name): number(name) for name in SHOWN},
    }
