"""What two versions of a dataset have in common, row by row and as a whole."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from django.db.models import QuerySet

from corpora.ingest.index import RECORD
from corpora.models import DatasetVersion
from corpora.versions.rows import NotReady, Rows, StoredRow
from rest.errors import NotFound
from storage.errors import ObjectMissing
from storage.objects import read_range

MAX_ROWS = 500_000
"""Of a version whose rows are compared one by one, in about a second; larger ones only as a whole."""

EXAMPLES = 5
LEAST_SHIFT = 0.001
TRAIN, TEST = 1, 2


@dataclass(frozen=True, kw_only=True)
class Part:
    """Rows that share a fate, and the first of them as the newer version has them (or the older, if it alone does)."""

    count: int
    examples: list[StoredRow]


@dataclass(frozen=True, kw_only=True)
class RowChanges:
    """Rows told apart by their messages; one that a version has twice counts once."""

    added: Part
    removed: Part
    moved_to_train: Part
    moved_to_test: Part
    kept: int


@dataclass(frozen=True, kw_only=True)
class Shift:
    """The share of the rows that have a label (or slice), before and after; 0..1."""

    name: str
    before: float
    after: float

    @property
    def change(self) -> float:
        return self.after - self.before


@dataclass(frozen=True, kw_only=True)
class OptionChange:
    """An option of the two versions."""

    name: str
    before: Any
    after: Any


@dataclass(frozen=True, kw_only=True)
class Diff:
    """From `before` to `after`; `rows` is None where there are too many to compare one by one."""

    before: DatasetVersion
    after: DatasetVersion
    rows: RowChanges | None
    options: list[OptionChange]
    labels: list[Shift]
    slices: list[Shift]


def previous_ready(version: DatasetVersion) -> DatasetVersion | None:
    """What a version is compared with unless somebody says otherwise."""
    return _comparable(version).filter(number__lt=version.number).first()


def version_to_compare(version: DatasetVersion, other_id: Any) -> DatasetVersion:
    """Another version of the same dataset; raises NotFound."""
    other: DatasetVersion | None = DatasetVersion.objects.filter(dataset_id=version.dataset_id, id=other_id).first()
    if other is None:
        raise NotFound("This dataset has no such version. Choose one of its own.", field="against")
    return other


def diff(*, before: DatasetVersion, after: DatasetVersion) -> Diff:
    """Compare two ready versions of a dataset; raises NotReady or ObjectMissing."""
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
    """The different rows of a version, sorted by id: in which splits each is, and its first number."""

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
        """The rows at these places, the first in the file as examples."""
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
    """Those that changed by LEAST_SHIFT, the largest change first."""
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
