"""Evaluations that used a dataset version."""

from collections.abc import Collection, Iterator
from uuid import UUID

from django.urls import reverse

from corpora.lineage import Use
from evaluations.models import EvaluationRun


def evaluation_uses(version_ids: Collection[UUID]) -> Iterator[Use]:
    """Each evaluation on the held-out rows."""
    runs = EvaluationRun.objects.filter(dataset_version__in=version_ids).select_related("version__adapter")
    for run in runs.defer("summary", "version__manifest", "version__metrics"):
        yield Use(
            version_id=run.dataset_version_id,
            kind="evaluation",
            title=str(run.version),
            adapter=run.version.adapter.name,
            url=reverse("evaluations:detail", args=[run.id]),
            created_at=run.created_at,
        )
