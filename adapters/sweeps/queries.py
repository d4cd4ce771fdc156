"""A sweep's runs sorted by held-out loss, with the best one marked."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from adapters.models import AdapterVersion, Sweep, TrainingRun
from adapters.recipes.hyperparameters import describe
from adapters.training.previews import title_of
from adapters.training.queries import runs_with_all
from jobs.models import JobEvent
from jobs.prices import total_or_unknown
from jobs.states import State

COMPARED = 5


@dataclass(frozen=True, kw_only=True)
class SweepRow:
    """A run and its swept values, as text by title in the grid's order; losses are None before the first."""

    run: TrainingRun
    version: AdapterVersion | None
    values: dict[str, str]
    loss: float | None
    eval_loss: float | None
    is_best: bool = False


@dataclass(frozen=True, kw_only=True)
class SweepTable:
    """Rows with the lowest held-out loss first; the best is the first that succeeded.

    A resumed run is represented by the run that resumed it; `cost_usd` includes both once they have ended;
    it is None if no price is known for one.
    """

    titles: list[str]
    rows: list[SweepRow]
    cost_usd: float | None

    @property
    def best(self) -> SweepRow | None:
        return next((row for row in self.rows if row.is_best), None)

    @property
    def is_running(self) -> bool:
        return any(not row.run.job.is_terminal for row in self.rows)

    @property
    def ended(self) -> int:
        return len([row for row in self.rows if row.run.job.is_terminal])

    @property
    def leading(self) -> list[TrainingRun]:
        """As many of the best runs as can be compared."""
        return [row.run for row in self.rows[:COMPARED]]


def grid_text(sweep: Sweep) -> str:
    """The grid in words: `rank 8, 16; learning rate 0.002, 0.005`."""
    return "; ".join(
        f"{title_of(name).lower()} {', '.join(describe(value) for value in values)}"
        for name, values in sweep.grid.items()
    )


def sweep_table(sweep: Sweep) -> SweepTable:
    """The sweep's runs with their last losses."""
    every = sweep_runs(sweep)
    taken_up = {run.resumed_from_id for run in every}
    runs = [run for run in every if run.id not in taken_up]
    jobs = [run.job_id for run in runs]
    losses, held_out = last_values(jobs, "loss"), last_values(jobs, "eval_loss")
    rows = [
        SweepRow(
            run=run,
            version=getattr(run, "version", None),
            values={title_of(name): describe(run.hyperparameters[name]) for name in sweep.grid},
            loss=losses.get(run.job_id),
            eval_loss=held_out.get(run.job_id),
        )
        for run in runs
    ]
    return SweepTable(
        titles=[title_of(name) for name in sweep.grid],
        rows=_ranked(rows),
        cost_usd=total_or_unknown(run.job.cost_usd for run in every if run.job.is_terminal),
    )


def _ranked(rows: Sequence[SweepRow]) -> list[SweepRow]:
    ordered = sorted(rows, key=lambda row: float("inf") if row.eval_loss is None else row.eval_loss)
    best = next((row for row in ordered if row.run.job.state == State.SUCCEEDED and row.eval_loss is not None), None)
    return [replace(row, is_best=row is best) for row in ordered]


def sweep_runs(sweep: Sweep) -> list[TrainingRun]:
    """A sweep's runs in the order they were started, including resumed ones."""
    return list(runs_with_all().filter(sweep=sweep).order_by("created_at"))


def last_values(job_ids: Collection[UUID], metric: str) -> dict[UUID, float]:
    """The last value that each job reported of a metric, by one query."""
    events = JobEvent.objects.filter(job__in=job_ids, type="metric", data__has_key=metric)
    newest = events.order_by("job_id", "-attempt", "-seq").distinct("job_id")
    return {event.job_id: event.data[metric] for event in newest}
