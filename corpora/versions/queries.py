"""Reads of dataset versions by others."""

from uuid import UUID

from corpora.models import DatasetVersion
from rest.errors import NotFound


def dataset_version_named(version_id: UUID, *, field: str = "dataset_version") -> DatasetVersion:
    """The tenant's dataset version. Raises NotFound naming the request's `field`."""
    versions = DatasetVersion.objects.select_related("dataset", "personal_data_kept_by")
    found = versions.filter(id=version_id).first()
    if found is None:
        raise NotFound("Dataset version not found.", field=field)
    return found
