"""What the pages read of training runs."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404

from adapters.models import Adapter, TrainingRun
from adapters.recipes.catalogue import RECIPES
from adapters.training.charts import spark_points
from adapters.training.curves import sparks


@dataclass(frozen=True, kw_only=True)
class RunRow:
    """A run with its losses for a small curve."""

    run: TrainingRun
    losses: list[float]

    @property
    def recipe(self) -> str:
        """The recipe's title, or empty if it no longer exists."""
        recipe = RECIPES.get(self.run.recipe)
        return recipe.title if recipe else ""

    @property
    def spark(self) -> str:
        return spark_points(self.losses)


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
    """Runs in the order of their ids; an id of another tenant raises Http404."""
    found = {run.id: run for run in runs_with_all().filter(id__in=run_ids)}
    return [found.get(run_id) or get_object_or_404(TrainingRun.objects.none()) for run_id in run_ids]
