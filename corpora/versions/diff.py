"""Compares two versions of a dataset, row by row and by options, labels and slices."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from django.db.models import QuerySet

from corpora.ingest.assembly.index import RECORD
from corpora.models import DatasetVersion
from corpora.versions.rows import NotReady, Rows, StoredRow
from rest.errors import NotFound
from storage.errors import ObjectMissing
from storage.objects import read_range

MAX_ROWS = 500_000
"""The largest version that is compared row by row, which takes about a second."""

EXAMPLES = 5
LEAST_SHIFT = 0.001
TRAIN, TEST = 1, 2


@dataclass(frozen=True, kw_only=True)
class Part:
    """The number of rows with the same change, and the first of them, as stored in the newest version that has them."""

    count: int
    examples: list[StoredRow]


@dataclass(frozen=True, kw_only=True)
class RowChanges:
    """Numbers of rows that changed. Rows with the same messages count once."""

    added: Part
    removed: Part
    moved_to_train: Part
    moved_to_test: Part
    kept: int


@dataclass(frozen=True, kw_only=True)
class Shift:
    """The share of rows with a label or slice, 0..1, before and after."""

    name: str
    before: float
    after: float

    @property
    def change(self) -> float:
        return self.after - self.before


@dataclass(frozen=True, kw_only=True)
class OptionChange:
    """An option whose value differs between the two versions."""

    name: str
    before: Any
    after: Any


@dataclass(frozen=True, kw_only=True)
class Diff:
    """Changes from `before` to `after`. `rows` is None if there are too many to compare one by one."""

    before: DatasetVersion
    after: DatasetVersion
    rows: RowChanges | None
    options: list[OptionChange]
    labels: list[Shift]
    slices: list[Shift]


def previous_ready(version: DatasetVersion) -> DatasetVersion | None:
    """The default version to compare with: the previous ready version, or None."""
    return _comparable(version).filter(number__lt=version.number).first()


def version_to_compare(version: DatasetVersion, other_id: Any) -> DatasetVersion:
    """Another version of the same dataset. Raises NotFound."""
    other: DatasetVersion | None = DatasetVersion.objects.filter(dataset_id=version.dataset_id, id=other_id).first()
    if other is None:
        raise NotFound("This dataset has no such version. Choose a version of the same dataset.", field="against")
    return other


def diff(*, before: DatasetVersion, after: DatasetVersion) -> Diff:
    """Compare two ready versions of a dataset. Raises NotReady or ObjectMissing."""
    for version in (before, after):
        if not version.is_ready:
            raise NotReady(version)
    small = max(before.row_count, after.row_count) <= MAX_ROWS
    return Diff(
        before=before,
        after=after,
        rows=_row_changes(before, after) if small else None,
        options=_option_changes(before.options, after.options),
        labels=_shifts(before.profile, after.profile, "labels"),
        slices=_shifts(before.profile, after.profile, "slices"),
    )


class Placed:
    """The distinct rows of a version, sorted by id.

    `splits` is a bit mask of TRAIN and TEST, and `numbers` the first row number of each.
    """

    def __init__(self, version: DatasetVersion) -> None:
        size = version.row_count * RECORD.itemsize
        data = read_range(version.index_key, 0, size)
        if len(data) != size:
            raise ObjectMissing
        self._rows = Rows(version)
        self.ids, first, which = np.unique(np.frombuffer(data, RECORD)["id"], return_index=True, return_inverse=True)
        self.numbers = first + 1
        self.splits = np.zeros(len(self.ids), np.uint8)
        np.bitwise_or.at(self.splits, which[: version.train_count], TRAIN)
        np.bitwise_or.at(self.splits, which[version.train_count :], TEST)

    def part(self, chosen: Any) -> Part:
        """The rows at the `chosen` indices, with those of the lowest numbers as examples."""
        numbers = np.sort(self.numbers[chosen])
        return Part(count=len(numbers), examples=[self._rows.numbered(int(n)) for n in numbers[:EXAMPLES]])


def _row_changes(before: DatasetVersion, after: DatasetVersion) -> RowChanges:
    old, new = Placed(before), Placed(after)
    _, in_old, in_new = np.intersect1d(old.ids, new.ids, assume_unique=True, return_indices=True)
    was, now = old.splits[in_old], new.splits[in_new]
    gained = now & ~was
    moved = was != now
    to_test = moved & (gained & TEST > 0)
    return RowChanges(
        added=new.part(np.delete(np.arange(len(new.ids)), in_new)),
        removed=old.part(np.delete(np.arange(len(old.ids)), in_old)),
        moved_to_test=new.part(in_new[to_test]),
        moved_to_train=new.part(in_new[moved & ~to_test]),
        kept=int(np.count_nonzero(~moved)),
    )


def _option_changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[OptionChange]:
    names = [*before, *(name for name in after if name not in before)]
    return [
        OptionChange(name=name, before=before.get(name), after=after.get(name))
        for name in names
        if before.get(name) != after.get(name)
    ]


def _shifts(before: Mapping[str, Any], after: Mapping[str, Any], what: str) -> list[Shift]:
    """Shares that changed by at least LEAST_SHIFT, largest change first."""
    old, new = (_shares(profile.get(what) or []) for profile in (before, after))
    shifts = [Shift(name=name, before=old.get(name, 0.0), after=new.get(name, 0.0)) for name in {**old, **new}]
    return sorted(
        (shift for shift in shifts if abs(shift.change) >= LEAST_SHIFT),
        key=lambda shift: (-abs(shift.change), shift.name),
    )


def _shares(counts: list[dict[str, Any]]) -> dict[str, float]:
    total = sum(count["train"] + count["test"] for count in counts)
    return {count["name"]: (count["train"] + count["test"]) / total for count in counts}


def _comparable(version: DatasetVersion) -> QuerySet[DatasetVersion]:
    return DatasetVersion.objects.ready().filter(dataset_id=version.dataset_id).order_by("-number")
