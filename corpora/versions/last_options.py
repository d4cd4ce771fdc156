"""The options of a dataset's newest version, with which the next upload to it begins."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from corpora.models import Dataset, DatasetVersion
from corpora.versions.prepared import OPTION_TITLES, option_text
from tenants.models import Tenant

READ_BY = ("file_format", "delimiter", "encoding", "layout", "columns")
"""The options that say how a file is read. Without them, all of it is detected."""

NOT_BY_OPTIONS = frozenset({
    "dataset:broken_archive", "dataset:empty_file", "dataset:no_train_rows", "dataset:preference_data",
    "dataset:quota_exceeded", "dataset:too_few_rows", "dataset:too_large",
})  # fmt: skip
"""Causes of a rejection that have nothing to do with how the file is read."""


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


def kept_reading(options: Mapping[str, Any]) -> str:
    """How the options say that a file is read: "column separator semicolon, row layout chat", or empty."""
    said = (
        f"{OPTION_TITLES[name].lower()} {option_text(name, options[name])}" for name in READ_BY if options.get(name)
    )
    return ", ".join(said)


def kept_from(number: int, options: Mapping[str, Any]) -> str:
    """What a refusal says of options that the client did not send: where they came from. Empty if none are set."""
    said = kept_reading(options)
    return f"How the file is read was kept from version {number}: {said}." if said else ""
