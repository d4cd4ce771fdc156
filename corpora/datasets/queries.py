"""Queries of the dataset list. Their number does not depend on the number of datasets."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db.models import OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce

from corpora.lineage import Use, uses_of
from corpora.models import Dataset, DatasetVersion


@dataclass(frozen=True, kw_only=True)
class DatasetRow:
    """A dataset with its number of versions and the newest use by each adapter."""

    dataset: Dataset
    versions: int
    uses: list[Use]


def datasets_called(name: str) -> QuerySet[Dataset]:
    """Datasets whose name contains `name`, each with its latest version. An empty name returns all.

    The dataset with the latest upload comes first; `uploaded_at` is the time of it.
    """
    uploads = DatasetVersion.objects.filter(dataset=OuterRef("id")).order_by("-number").values("created_at")
    found = Dataset.objects.with_latest().annotate(uploaded_at=Subquery(uploads[:1]))
    found = found.order_by(Coalesce("uploaded_at", "created_at").desc(), "-id")
    return found.filter(name__icontains=name) if name else found


def rows_of(datasets: Sequence[Dataset]) -> list[DatasetRow]:
    """A row for each dataset, in the same order."""
    version_ids: dict[UUID, list[UUID]] = defaultdict(list)
    versions = DatasetVersion.objects.filter(dataset__in=datasets).order_by("-number")
    for dataset_id, version_id in versions.values_list("dataset_id", "id"):
        version_ids[dataset_id].append(version_id)
    uses = uses_of([version_id for ids in version_ids.values() for version_id in ids])
    return [
        DatasetRow(
            dataset=dataset,
            versions=len(version_ids[dataset.id]),
            uses=_by_adapter([use for version_id in version_ids[dataset.id] for use in uses.get(version_id, [])]),
        )
        for dataset in datasets
    ]


def _by_adapter(uses: Sequence[Use]) -> list[Use]:
    newest: dict[str, Use] = {}
    for use in sorted(uses, key=lambda use: use.created_at, reverse=True):
        newest.setdefault(use.adapter, use)
    return list(newest.values())
