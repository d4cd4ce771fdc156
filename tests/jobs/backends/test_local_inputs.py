"""Inputs that one step cannot fetch: the next goes on where it was, and the run begins once all are whole."""

from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from jobs.backends import local
from jobs.backends.base import InputFile, RunState
from jobs.backends.local import LocalCompute
from storage.errors import StorageUnavailable
from storage.objects import read_range
from tests.jobs.backends.test_compute_contract import ended, follow, new_name, toy

CONTENT = bytes(range(256)) * 10
BLOCK = 600


@pytest.fixture
def backend(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LocalCompute:
    monkeypatch.setattr(local, "FETCH_BYTES", BLOCK)
    monkeypatch.setattr(local, "FETCH_SECONDS", -1.0)
    return LocalCompute("default", {"ROOT": tmp_path / "compute"})


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Where each read began."""
    starts: list[int] = []

    def read_and_note(key: str, start: int, length: int) -> bytes:
        starts.append(start)
        return read_range(key, start, length)

    monkeypatch.setattr(local, "read_range", read_and_note)
    return starts


@pytest.fixture
def store() -> Callable[[bytes], tuple[InputFile, ...]]:
    def call(content: bytes) -> tuple[InputFile, ...]:
        return (InputFile(key=default_storage.save("contract/rows", ContentFile(content)), filename="rows.txt"),)

    return call


@pytest.mark.parametrize("size", [0, BLOCK - 1, BLOCK, 4 * BLOCK, len(CONTENT)])
def test_a_file_arrives_whole_however_many_steps_it_takes(
    backend: LocalCompute, asked: list[int], store: Callable[[bytes], tuple[InputFile, ...]], tmp_path: Path, size: int
) -> None:
    name, inputs = new_name(), {"rows": store(CONTENT[:size])}
    calls = 0
    while backend.observe(name).state is RunState.MISSING:
        calls += 1
        assert calls <= size // BLOCK + 1
        backend.submit(name, toy(inputs=inputs, steps=1))
    assert asked == [BLOCK * number for number in range(size // BLOCK + 1)], "no byte is fetched twice"
    assert follow(backend, name, ended)[0].state is RunState.SUCCEEDED
    backend.fetch(name, "rows.txt", tmp_path / "rows.txt")
    assert (tmp_path / "rows.txt").read_bytes() == CONTENT[:size]


def test_storage_that_goes_away_half_way_costs_nothing_that_was_fetched(
    backend: LocalCompute,
    asked: list[int],
    store: Callable[[bytes], tuple[InputFile, ...]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(local, "FETCH_SECONDS", 60.0)
    name = new_name()

    def goes_away(key: str, start: int, length: int) -> bytes:
        if start >= 2 * BLOCK:
            raise StorageUnavailable
        return read_range(key, start, length)

    spec = toy(inputs={"one": store(b"small"), "rows": store(CONTENT)}, steps=1)
    with monkeypatch.context() as away:
        away.setattr(local, "read_range", goes_away)
        with pytest.raises(StorageUnavailable):
            backend.submit(name, spec)
    assert backend.observe(name).state is RunState.MISSING
    asked.clear()
    backend.submit(name, spec)
    assert asked == [2 * BLOCK, 3 * BLOCK, 4 * BLOCK], "neither the small file nor the first blocks again"
    assert follow(backend, name, ended)[0].state is RunState.SUCCEEDED


def test_nobody_else_reads_what_a_run_reads_and_writes(
    backend: LocalCompute, store: Callable[[bytes], tuple[InputFile, ...]]
) -> None:
    backend.root.mkdir(mode=0o755)
    name = new_name()
    while backend.observe(name).state is RunState.MISSING:
        backend.submit(name, toy(inputs={"rows": store(CONTENT)}, steps=1))
    follow(backend, name, ended)
    found = [backend.root, *backend.root.rglob("*")]
    assert {"rows.txt", "spec.json", "log.txt", "result.json", "checkpoints"} <= {path.name for path in found}
    assert [path for path in found if path.lstat().st_mode & 0o077 and not path.is_symlink()] == []
