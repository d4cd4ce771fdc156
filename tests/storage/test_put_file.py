"""A file is stored under its key, whole and once, whoever else is storing it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import FileSystemStorage, default_storage
from pytest_django import Settings

from storage.errors import StorageUnavailable
from storage.objects import open_object, put_file

KEY = "tenants/a/rows"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, settings: Settings) -> Path:
    default = {**settings.STORAGES["default"], "OPTIONS": {"location": tmp_path / "objects"}}
    settings.STORAGES = {**settings.STORAGES, "default": default}
    return tmp_path / "objects"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "rows"
    path.write_bytes(b"all of the rows")
    return path


@pytest.fixture
def meanwhile(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Another worker does something just before, or just after, this one's file is stored."""
    save = FileSystemStorage._save  # type: ignore[attr-defined]

    def arrange(*, before: Callable[[], Any] = bool, after: Callable[[], Any] = bool) -> None:
        def watched(self: FileSystemStorage, name: str, content: Any) -> str:
            before()
            stored: str = save(self, name, content)
            after()
            return stored

        monkeypatch.setattr(FileSystemStorage, "_save", watched)

    return arrange


def put(content: bytes) -> None:
    place = Path(default_storage.path(KEY))
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(content)


def content() -> bytes:
    with open_object(KEY) as file:
        return file.read()


def objects(folder: Path) -> int:
    return sum(path.is_file() for path in folder.rglob("*"))


def test_a_whole_object_is_left_alone_and_a_short_one_written_again(path: Path, folder: Path) -> None:
    put(b"all of THE rows")
    put_file(KEY, path)
    assert content() == b"all of THE rows"
    put(b"all of")
    put_file(KEY, path)
    assert content() == b"all of the rows"
    assert objects(folder) == 1


def test_another_worker_that_was_faster_leaves_one_whole_object(
    path: Path, folder: Path, meanwhile: Callable[..., None]
) -> None:
    meanwhile(before=lambda: put(b"all of the rows"))
    put_file(KEY, path)
    assert content() == b"all of the rows"
    assert objects(folder) == 1


@pytest.mark.parametrize("when", ["before", "after"])
def test_what_another_worker_has_not_finished_is_not_taken_for_the_object(
    when: str, path: Path, folder: Path, meanwhile: Callable[..., None]
) -> None:
    meanwhile(**{when: lambda: put(b"all of")})
    with pytest.raises(StorageUnavailable):
        put_file(KEY, path)
    assert objects(folder) == 1
    meanwhile()
    put_file(KEY, path)
    assert content() == b"all of the rows"
    assert objects(folder) == 1


def test_what_another_worker_has_just_removed_is_not_taken_for_the_object(
    path: Path, meanwhile: Callable[..., None]
) -> None:
    meanwhile(after=lambda: default_storage.delete(KEY))
    with pytest.raises(StorageUnavailable):
        put_file(KEY, path)
