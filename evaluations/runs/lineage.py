"""Evaluations that used a dataset version."""

from collections.abc import Collection, Iterator
from uuid import UUID

from django.db.models import Prefetch
from django.urls import reverse

from corpora.lineage import Use
from evaluations.models import EvaluatedModel, EvaluationRun


def evaluation_uses(version_ids: Collection[UUID]) -> Iterator[Use]:
    """Each evaluation on the held-out rows."""
    runs = EvaluationRun.objects.filter(dataset_version__in=version_ids).select_related(
        "version__adapter", "base_model"
    )
    runs = runs.defer("summary", "version__manifest", "version__metrics")
    # Only the title of one without a version needs them.
    models = Prefetch("models", EvaluatedModel.objects.filter(run__version=None))
    for run in runs.prefetch_related(models):
        yield Use(
            version_id=run.dataset_version_id,
            kind="evaluation",
            title=run.title,
            adapter=run.version.adapter.name if run.version else run.title,
            url=reverse("evaluations:detail", args=[run.id]),
            created_at=run.created_at,
        )
