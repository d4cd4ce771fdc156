"""Datasets themselves: their name, their description, their end."""

from django.db import IntegrityError, transaction

from corpora.errors import DatasetGone, NameMissing
from corpora.models import Dataset, UploadState
from rest.errors import Conflict


class NameTaken(Conflict):
    """Another dataset of the organisation is called so."""

    code = "dataset:name_taken"

    def __init__(self, name: str) -> None:
        super().__init__(f"You have another dataset called “{name}”. Choose a different name.", field="name")


class DatasetNotEmpty(Conflict):
    """The dataset has versions, or is about to get one."""

    code = "dataset:not_empty"

    def __init__(self) -> None:
        super().__init__("The dataset still has versions or uploads. Delete those first.")


def change_dataset(*, dataset: Dataset, name: str | None = None, description: str | None = None) -> Dataset:
    """Rename or describe a dataset; None leaves as it is. Raises NameMissing, NameTaken or DatasetGone."""
    changes: dict[str, str] = {}
    if name is not None:
        changes["name"] = name.strip()[:120]
        if not changes["name"]:
            raise NameMissing
    if description is not None:
        changes["description"] = description.strip()
    for field, value in changes.items():
        setattr(dataset, field, value)
    try:
        with transaction.atomic():
            found = not changes or Dataset.objects.filter(id=dataset.id).update(**changes)
    except IntegrityError:
        raise NameTaken(dataset.name) from None
    if not found:
        raise DatasetGone
    return dataset


@transaction.atomic
def delete_dataset(*, dataset: Dataset) -> None:
    """Remove a dataset without versions and open uploads; one that is gone already is fine. Raises DatasetNotEmpty."""
    # Whoever makes a version locks the dataset too.
    locked = Dataset.objects.select_for_update().filter(id=dataset.id).first()
    if locked is None:
        return
    settled = (UploadState.DONE, UploadState.FAILED)
    if locked.versions.exists() or locked.uploads.exclude(state__in=settled).exists():
        raise DatasetNotEmpty
    locked.delete()
