"""Trainings that used a dataset version."""

from collections.abc import Collection, Iterator
from uuid import UUID

from django.urls import reverse

from adapters.models import TrainingRun
from corpora.lineage import Use


def training_uses(version_ids: Collection[UUID]) -> Iterator[Use]:
    """Each training: its adapter version, or its run if it produced none."""
    runs = TrainingRun.objects.filter(dataset_version__in=version_ids).select_related("adapter", "version")
    for run in runs.defer("hyperparameters", "version__manifest", "version__metrics"):
        version = getattr(run, "version", None)
        yield Use(
            version_id=run.dataset_version_id,
            kind="adapter version" if version else "training",
            title=f"{run.adapter.name} v{version.number}" if version else run.adapter.name,
            adapter=run.adapter.name,
            url=reverse("adapters:version", args=[version.id]) if version else reverse("adapters:run", args=[run.id]),
            created_at=run.created_at,
        )
