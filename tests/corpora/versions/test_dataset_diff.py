"""Differences between two versions of a dataset."""

from uuid import uuid4

import pytest
from django.core.files.storage import default_storage

from corpora.models import Dataset, VersionState
from corpora.versions.diff import diff, previous_ready, version_to_compare
from corpora.versions.rows import NotReady
from rest.errors import NotFound
from storage.errors import ObjectMissing
from tenants.models import Tenant
from tests.corpora.stored import chat, stored_version

pytestmark = pytest.mark.django_db


@pytest.fixture
def dataset(in_tenant: Tenant) -> Dataset:
    return Dataset.objects.create(name="Clauses")


def rows(*names: str) -> list[dict[str, object]]:
    return [chat(name) for name in names]


def test_each_row_is_kept_added_removed_or_moved(dataset: Dataset) -> None:
    before = stored_version(dataset, rows("a", "b", "c", "gone"), rows("d", "e"))
    after = stored_version(dataset, rows("new 2", "a", "d", "b", "new 1"), rows("c", "e", "new 3"))
    changes = diff(before=before, after=after).rows
    assert changes is not None
    assert changes.kept == 3
    texts = {
        name: [stored.row.messages[0].content for stored in getattr(changes, name).examples]
        for name in ("added", "removed", "moved_to_train", "moved_to_test")
    }
    assert texts == {
        "added": ["new 2", "new 1", "new 3"], "removed": ["gone"], "moved_to_train": ["d"], "moved_to_test": ["c"],
    }  # fmt: skip
    assert [stored.number for stored in changes.moved_to_test.examples] == [6]
    assert [stored.number for stored in changes.removed.examples] == [4]


def test_a_row_that_is_there_twice_counts_once(dataset: Dataset) -> None:
    before = stored_version(dataset, rows("a", "a", "b"), rows("a"))
    after = stored_version(dataset, rows("a", "b", "b", "c", "c"), rows("a"))
    changes = diff(before=before, after=after).rows
    assert changes is not None
    assert (changes.kept, changes.added.count, changes.removed.count) == (2, 1, 0)


def test_a_row_that_is_only_trained_on_now_has_moved(dataset: Dataset) -> None:
    before = stored_version(dataset, rows("a", "b"), rows("a"))
    changes = diff(before=before, after=stored_version(dataset, rows("a", "b"))).rows
    assert changes is not None
    assert (changes.kept, changes.moved_to_train.count, changes.moved_to_test.count) == (1, 1, 0)


def test_only_the_first_of_many_are_shown(dataset: Dataset) -> None:
    before = stored_version(dataset, rows("a"))
    after = stored_version(dataset, rows("a", *(f"new {number}" for number in range(40))))
    changes = diff(before=before, after=after).rows
    assert changes is not None
    assert (changes.added.count, len(changes.added.examples)) == (40, 5)


def test_large_versions_are_compared_as_a_whole_only(dataset: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("corpora.versions.diff.MAX_ROWS", 3)
    small, large = stored_version(dataset, rows("a", "b", "c")), stored_version(dataset, rows("a", "b", "c", "d"))
    assert diff(before=small, after=small).rows is not None
    assert diff(before=small, after=large).rows is diff(before=large, after=small).rows is None


def test_shares_of_labels_and_other_options_are_named(dataset: Dataset) -> None:
    def labels(**counts: int) -> dict[str, object]:
        return {"labels": [{"name": name, "train": count, "test": 1} for name, count in counts.items()]}

    before = stored_version(
        dataset, rows("a"), profile=labels(low=8, high=0), options={"seed": 0, "bad_rows": "refuse"}
    )
    after = stored_version(dataset, rows("a"), profile=labels(low=3, new=5), options={"seed": 7, "bad_rows": "refuse"})
    found = diff(before=before, after=after)
    assert [(option.name, option.before, option.after) for option in found.options] == [("seed", 0, 7)]
    shifts = {shift.name: (shift.before, shift.after) for shift in found.labels}
    assert shifts == {"new": (0.0, 0.6), "low": (0.9, 0.4), "high": (0.1, 0.0)}
    assert list(shifts) == ["new", "low", "high"]


def test_the_default_is_the_ready_version_before(dataset: Dataset) -> None:
    first = stored_version(dataset, rows("a"))
    stored_version(dataset, rows("b"), state=VersionState.REJECTED)
    third = stored_version(dataset, rows("c"))
    assert previous_ready(third) == first
    assert previous_ready(first) is None


def test_only_versions_of_the_same_dataset_are_compared(dataset: Dataset) -> None:
    version = stored_version(dataset, rows("a"))
    other = stored_version(Dataset.objects.create(name="Other"), rows("a"))
    for wrong in (other.id, uuid4()):
        with pytest.raises(NotFound):
            version_to_compare(version, wrong)
    assert version_to_compare(version, version.id) == version


def test_what_cannot_be_compared_says_so(dataset: Dataset) -> None:
    version = stored_version(dataset, rows("a"))
    rejected = stored_version(dataset, rows("b"), state=VersionState.REJECTED)
    with pytest.raises(NotReady):
        diff(before=rejected, after=version)
    default_storage.delete(version.index_key)
    with pytest.raises(ObjectMissing):
        diff(before=version, after=version)
