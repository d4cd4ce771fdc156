"""Change and delete datasets."""

from collections.abc import Mapping

from django.db import IntegrityError, transaction

from corpora.errors import DatasetGone, NameMissing
from corpora.models import Dataset, UploadState
from rest.errors import Conflict
from rest.names import check_name
from tenants.audit.services import record_event


class NameTaken(Conflict):
    """Another dataset of the organisation has this name."""

    code = "dataset:name_taken"

    def __init__(self, name: str) -> None:
        super().__init__(f"A dataset called “{name}” already exists. Choose a different name.", field="name")


class DatasetNotEmpty(Conflict):
    """The dataset has versions, or uploads that may become versions."""

    code = "dataset:not_empty"

    def __init__(self) -> None:
        super().__init__("This dataset still has versions or uploads. Delete them first.")


def change_dataset(*, dataset: Dataset, name: str | None = None, description: str | None = None) -> Dataset:
    """Change the name or description of a dataset. None leaves a field unchanged.

    Raises NameMissing, InvalidName, NameTaken or DatasetGone.
    """
    changes: dict[str, str] = {}
    if name is not None:
        changes["name"] = check_name(name)[:120]
        if not changes["name"]:
            raise NameMissing
    if description is not None:
        changes["description"] = description.strip()
    before = {field: getattr(dataset, field) for field in changes}
    for field, value in changes.items():
        setattr(dataset, field, value)
    try:
        with transaction.atomic():
            found = not changes or Dataset.objects.filter(id=dataset.id).update(**changes)
            if found and changes != before:
                record_event("dataset.changed", dataset, before=_named(before), after=_named(changes))
    except IntegrityError:
        raise NameTaken(dataset.name) from None
    if not found:
        raise DatasetGone
    return dataset


@transaction.atomic
def delete_dataset(*, dataset: Dataset) -> None:
    """Delete a dataset that has no versions and no open uploads. Does nothing if it is already deleted.

    Raises DatasetNotEmpty.
    """
    # Creating a version locks the dataset too.
    locked = Dataset.objects.select_for_update().filter(id=dataset.id).first()
    if locked is None:
        return
    settled = (UploadState.DONE, UploadState.FAILED)
    if locked.versions.exists() or locked.uploads.exclude(state__in=settled).exists():
        raise DatasetNotEmpty
    record_event("dataset.deleted", locked)
    locked.delete()


def _named(fields: Mapping[str, str]) -> dict[str, object]:
    """The fields that changed and the name; a description may say more than the audit trail should hold."""
    return {"fields": sorted(fields)} | {name: value for name, value in fields.items() if name == "name"}
