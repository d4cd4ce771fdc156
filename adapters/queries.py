"""What the pages read, each in a fixed number of queries."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404

from adapters.charts import spark_points
from adapters.curves import sparks
from adapters.models import Adapter, AdapterVersion, Sweep, TrainingRun
from adapters.recipes import RECIPES
from jobs.models import JobEvent
from rest.errors import NotFound


@dataclass(frozen=True, kw_only=True)
class AdapterRow:
    """An adapter with its newest version and its newest run; each may be missing."""

    adapter: Adapter
    version: AdapterVersion | None
    run: TrainingRun | None


@dataclass(frozen=True, kw_only=True)
class RunRow:
    """A run with its losses for a small curve."""

    run: TrainingRun
    losses: list[float]

    @property
    def recipe(self) -> str:
        """The recipe's title; empty for one that is no more."""
        recipe = RECIPES.get(self.run.recipe)
        return recipe.title if recipe else ""

    @property
    def spark(self) -> str:
        return spark_points(self.losses)


def rows_of(adapters: Sequence[Adapter]) -> list[AdapterRow]:
    """One row for each adapter, in their order, by two queries."""
    versions = AdapterVersion.objects.filter(adapter__in=adapters).order_by("adapter_id", "-number")
    runs = TrainingRun.objects.filter(adapter__in=adapters).order_by("adapter_id", "-created_at")
    newest_version = {row.adapter_id: row for row in versions.distinct("adapter_id").defer("manifest")}
    newest_run = {row.adapter_id: row for row in runs.distinct("adapter_id").select_related("job")}
    return [
        AdapterRow(adapter=adapter, version=newest_version.get(adapter.id), run=newest_run.get(adapter.id))
        for adapter in adapters
    ]


def adapters_by_name() -> QuerySet[Adapter]:
    """The tenant's adapters with their base models."""
    return Adapter.objects.select_related("base_model").order_by("name")


def runs_with_all() -> QuerySet[TrainingRun]:
    """Runs, newest first, with what pages show of them."""
    related = ("job", "adapter__base_model", "dataset_version__dataset", "version", "created_by")
    large = ("version__manifest", "dataset_version__problems", "dataset_version__profile")
    return TrainingRun.objects.select_related(*related).defer(*large).order_by("-created_at")


def runs_of(adapter: Adapter) -> QuerySet[TrainingRun]:
    """An adapter's runs, newest first, with what a table shows of them."""
    return runs_with_all().filter(adapter=adapter)


def run_rows(runs: Sequence[TrainingRun]) -> list[RunRow]:
    """One row for each run, in their order, by one query."""
    losses = sparks([run.job_id for run in runs])
    return [RunRow(run=run, losses=losses.get(run.job_id, [])) for run in runs]


def runs_by_ids(run_ids: Sequence[UUID]) -> list[TrainingRun]:
    """Runs in the order of their ids; one that is not the tenant's raises Http404."""
    found = {run.id: run for run in runs_with_all().filter(id__in=run_ids)}
    return [found.get(run_id) or get_object_or_404(TrainingRun.objects.none()) for run_id in run_ids]


def version_with_all(version_id: UUID) -> AdapterVersion:
    """A version with what its pages show; Http404 for one that is not the tenant's."""
    related = ("adapter__base_model", "run__job", "run__dataset_version__dataset", "run__created_by")
    return get_object_or_404(AdapterVersion.objects.select_related(*related), pk=version_id)


def version_named(version_id: UUID) -> AdapterVersion:
    """The version that a request names, with its base model and the dataset version it learned; raises NotFound."""
    rows = AdapterVersion.objects.select_related("adapter__base_model", "run__dataset_version__dataset")
    version = rows.filter(id=version_id).first()
    if version is None:
        raise NotFound("There is no such adapter version.", field="version")
    return version


def sweep_runs(sweep: Sweep) -> list[TrainingRun]:
    """A sweep's runs as they were started, also those that another run went on with."""
    return list(runs_with_all().filter(sweep=sweep).order_by("created_at"))


def last_values(job_ids: Collection[UUID], metric: str) -> dict[UUID, float]:
    """The last value that each job reported of a metric, by one query."""
    events = JobEvent.objects.filter(job__in=job_ids, type="metric", data__has_key=metric)
    newest = events.order_by("job_id", "-attempt", "-seq").distinct("job_id")
    return {event.job_id: event.data[metric] for event in newest}
