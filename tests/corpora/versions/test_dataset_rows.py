"""Rows of a version are read from storage by page and by search."""

from pathlib import Path

import pytest
from django.core.files.storage import default_storage

from corpora.models import Dataset, DatasetVersion, VersionState
from corpora.versions.rows import BadCursor, NotReady, Rows
from rest.errors import NotFound
from storage.errors import ObjectMissing
from storage.objects import CHUNK_BYTES
from tenants.models import Tenant
from tests.corpora.stored import chat, stored_version

pytestmark = pytest.mark.django_db


@pytest.fixture
def dataset(in_tenant: Tenant) -> Dataset:
    return Dataset.objects.create(name="Clauses")


@pytest.fixture
def version(dataset: Dataset) -> DatasetVersion:
    """Ten rows in each split, from every third line of the file."""
    rows = [chat(f"question {number}", f"answer {number}") for number in range(20)]
    return stored_version(dataset, rows[:10], rows[10:], lines=range(1, 60, 3))


def prompts(rows: object) -> list[str]:
    assert isinstance(rows, list)
    return [stored.row.messages[0].content for stored in rows]


def test_a_slice_reads_across_both_splits(version: DatasetVersion) -> None:
    rows = Rows(version)[8:12]
    assert prompts(rows) == ["question 8", "question 9", "question 10", "question 11"]
    assert [(row.number, row.line, row.split) for row in rows] == [
        (9, 25, "train"), (10, 28, "train"), (11, 31, "test"), (12, 34, "test"),
    ]  # fmt: skip


def test_a_split_has_its_own_rows_only(version: DatasetVersion) -> None:
    train, test = Rows(version, "train"), Rows(version, "test")
    assert (len(train), len(test)) == (10, 10)
    assert prompts(train[:100])[-1] == "question 9"
    assert prompts(test[:1]) == ["question 10"]
    with pytest.raises(NotFound):
        test.numbered(10)
    assert Rows(version).numbered(20).row.messages[1].content == "answer 19"


def test_a_row_is_found_by_its_id(version: DatasetVersion, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("corpora.versions.rows.STREAMED_RECORDS", 3)
    for number in (1, 10, 20):
        wanted = Rows(version).numbered(number)
        assert Rows(version).with_id(wanted.row.id) == wanted
    of_test = Rows(version).numbered(20).row.id
    for rows, row_id in ((Rows(version, "train"), of_test), (Rows(version), "0" * 32)):
        with pytest.raises(NotFound):
            rows.with_id(row_id)


@pytest.mark.parametrize("row_id", ["", "no id", "ab", "ab" * 17])
def test_what_is_no_id_is_found_nowhere(version: DatasetVersion, row_id: str) -> None:
    with pytest.raises(NotFound):
        Rows(version).with_id(row_id)


def test_pages_follow_each_other_to_the_end(version: DatasetVersion) -> None:
    rows = Rows(version)
    seen, cursor = [], None
    while True:
        page = rows.page(cursor=cursor, size=7)
        seen += prompts(page.rows)
        cursor = page.cursor
        if cursor is None:
            break
        assert page.searched == len(seen)
    assert seen == [f"question {number}" for number in range(20)]


@pytest.mark.parametrize("cursor", [0, 21, 10**15])
def test_a_cursor_outside_the_rows_is_refused(version: DatasetVersion, cursor: int) -> None:
    for read in (Rows(version).page, lambda **given: Rows(version).search("a", **given)):
        with pytest.raises(BadCursor):
            read(cursor=cursor, size=5)


def test_a_page_ends_early_where_rows_are_long(version: DatasetVersion, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("corpora.versions.rows.PAGE_BYTES", 400)
    page = Rows(version).page(cursor=None, size=20)
    assert 1 <= len(page.rows) < 5
    assert page.cursor == len(page.rows) + 1
    monkeypatch.setattr("corpora.versions.rows.PAGE_BYTES", 1)
    assert len(Rows(version).page(cursor=None, size=20).rows) == 1


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("QUESTION 1", [2, *range(11, 24)]),
        ("answer 7", [8]),
        ('say "hi"\n', [21]),
        ("STRASSE", [22]),
        ("rent", [23]),
        ("messages", []),
        ("role", []),
        ("\\n", []),
    ],
)
def test_a_search_finds_text_and_no_markup(dataset: Dataset, text: str, found: list[int]) -> None:
    rows = [chat(f"question {number}", f"answer {number}") for number in range(20)]
    odd = [
        chat('question 1: say "hi"\n', "x"),
        chat("question 1: Große Straße", "x"),
        chat("question 1: \u2028\x85", "x", label="Rent"),
    ]
    stored = Rows(stored_version(dataset, rows + odd))
    assert [row.number for row in stored.search(text, cursor=None, size=50).rows] == found


def test_a_search_reads_a_part_at_a_time_and_goes_on(version: DatasetVersion, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("corpora.versions.rows.SEARCH_BYTES", 500)
    rows, seen, cursor, requests = Rows(version), [], None, 0
    while requests == 0 or cursor is not None:
        part = rows.search("question 1", cursor=cursor, size=50)
        seen += [(row.number, row.line) for row in part.rows]
        cursor, requests = part.cursor, requests + 1
        assert part.total == 20
        assert part.searched == (cursor - 1 if cursor else 20)
    assert seen == [(2, 4)] + [(number, 3 * number - 2) for number in range(11, 21)]
    assert requests > 3


def test_a_search_stops_when_the_page_is_full(version: DatasetVersion) -> None:
    first = Rows(version).search("question", cursor=None, size=3)
    assert (prompts(first.rows)[-1], first.cursor) == ("question 2", 4)
    assert Rows(version).search("question", cursor=18, size=3).cursor is None


def test_rows_longer_than_a_block_are_whole(dataset: Dataset) -> None:
    long = "é" * CHUNK_BYTES
    version = stored_version(dataset, [chat("a"), chat(long), chat("needle in the tail")], [chat(f"{long} needle")])
    assert [row.number for row in Rows(version).search("needle", cursor=None, size=9).rows] == [3, 4]
    assert len(Rows(version).numbered(2).row.messages[0].content) == CHUNK_BYTES
    assert [row.number for row in Rows(version)] == [1, 2, 3, 4]


def test_a_version_that_is_not_ready_has_no_rows(dataset: Dataset) -> None:
    version = stored_version(dataset, [chat("a")], state=VersionState.REJECTED)
    with pytest.raises(NotReady):
        Rows(version)


@pytest.mark.parametrize("key", ["index_key", "train_key"])
def test_lost_files_are_told_apart_from_a_fault(version: DatasetVersion, key: str) -> None:
    default_storage.delete(getattr(version, key))
    rows = Rows(version)
    for read in (lambda: rows[:3], lambda: rows.search("a", cursor=None, size=1), lambda: next(iter(rows))):
        with pytest.raises(ObjectMissing) as caught:
            read()
        assert (caught.value.code, caught.value.status) == ("platform:object_missing", 503)


def test_a_file_that_lost_its_end_never_looks_whole(version: DatasetVersion) -> None:
    path = Path(default_storage.path(version.test_key))
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:4]))
    rows = Rows(version)
    for read in (lambda: rows[:20], lambda: list(rows), lambda: rows.search("zzz", cursor=None, size=1)):
        with pytest.raises(ObjectMissing):
            read()
