"""The options of a dataset's newest version, with which the next upload to it begins."""

from dataclasses import dataclass
from typing import Any

from corpora.models import Dataset, DatasetVersion
from tenants.models import Tenant


@dataclass(frozen=True)
class LastOptions:
    """`options` of the version with that `number`; None where there is no version."""

    options: dict[str, Any]
    number: int | None


def last_options(*, tenant: Tenant, dataset: Dataset | None, dataset_name: str = "") -> LastOptions:
    """The options of the newest version, in any state, of `dataset` or of the dataset called `dataset_name`."""
    versions = DatasetVersion.objects.filter(tenant=tenant)
    versions = versions.filter(dataset=dataset) if dataset else versions.filter(dataset__name=dataset_name)
    newest = versions.order_by("-number").values_list("options", "number").first()
    return LastOptions(*newest) if newest else LastOptions({}, None)


def came_from(number: int) -> str:
    """What a refusal says of options that the client did not send."""
    return (
        f"The options came from version {number}: send other options, or an empty object in `options` to start afresh."
    )
