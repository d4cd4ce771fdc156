"""A server that was killed has its adapters again; whatever is wrong with its memory costs it nothing else."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from lorakit.base import check_base, load_for_serving
from lorakit.package import WEIGHTS, unpack
from lorakit.serve.adapters.memory import Memory, Remembered
from lorakit.serve.adapters.pool import SlotPool
from lorakit.serve.adapters.registry import Registry
from lorakit.tiny.canaries import pack_canary

Start = Callable[[], Registry]


@pytest.fixture(scope="module")
def pool(base: Path) -> SlotPool:
    return SlotPool(load_for_serving(check_base(str(base))), slots=1, max_rank=8)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "held.json"


@pytest.fixture
def start(pool: SlotPool, tmp_path: Path, file: Path) -> Start:
    """The registry of a server that starts, with an empty cache; the one before was killed."""

    def starting() -> Registry:
        cache = tmp_path / "cache"
        shutil.rmtree(cache, ignore_errors=True)
        cache.mkdir()
        registry = Registry(pool, cache, Memory(file))
        registry.restore()
        return registry

    return starting


@pytest.fixture
def folders(base: Path, tmp_path: Path) -> dict[str, Path]:
    """Two unpacked adapters by name."""
    found = {}
    for seed, name in enumerate(("alpha", "omega"), 1):
        pack_canary(base, tmp_path / f"{name}.tar.gz", seed=seed)
        found[name] = tmp_path / name
        unpack(tmp_path / f"{name}.tar.gz", found[name])
    return found


def held(registry: Registry) -> dict[str, str]:
    return {name: adapter.sha256 for name, adapter in registry.items()}


def test_it_has_again_what_it_held_when_it_was_killed(start: Start, folders: dict[str, Path]) -> None:
    first = start()
    for name, folder in folders.items():
        first.load(name, folder)
    first.load("gone", folders["alpha"])
    first.unload("gone")
    before = held(first)
    assert set(before) == set(folders)
    assert held(start()) == before
    assert held(start()) == before, "what was restored is still remembered"


def test_a_missing_or_changed_package_is_left_out_and_forgotten(
    start: Start, file: Path, folders: dict[str, Path], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    first = start()
    shutil.copytree(folders["alpha"], tmp_path / "lost")
    shutil.copytree(folders["alpha"], tmp_path / "damaged")
    for name, folder in folders.items() | {("lost", tmp_path / "lost"), ("damaged", tmp_path / "damaged")}:
        first.load(name, folder)
    shutil.rmtree(tmp_path / "lost")
    (tmp_path / "damaged" / WEIGHTS).write_bytes(b"\0" * 100)
    tensors = load_file(folders["omega"] / WEIGHTS)
    save_file({name: tensor + np.float32(1) for name, tensor in tensors.items()}, folders["omega"] / WEIGHTS)
    assert set(held(start())) == {"alpha"}
    assert "lost was not restored: package:not_found" in caplog.text
    assert "damaged was not restored: package:" in caplog.text
    assert "omega was not restored: its package has changed" in caplog.text
    assert set(json.loads(file.read_bytes())["adapters"]) == {"alpha"}


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"\xff", b"{}", b'{"adapters": []}', b'{"adapters": {"a": {"path": "/"}}}', b"[" * 100_000],
)
def test_a_damaged_file_is_an_empty_memory(
    start: Start, file: Path, folders: dict[str, Path], content: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    file.write_bytes(content)
    registry = start()
    assert held(registry) == {}
    assert "no adapter is restored" in caplog.text
    registry.load("alpha", folders["alpha"])
    assert set(held(start())) == {"alpha"}


def test_a_file_that_cannot_be_written_does_not_fail_a_load(
    pool: SlotPool, tmp_path: Path, folders: dict[str, Path], caplog: pytest.LogCaptureFixture
) -> None:
    cache = tmp_path / "cache"
    cache.mkdir()
    registry = Registry(pool, cache, Memory(tmp_path / "missing" / "held.json"))
    registry.load("alpha", folders["alpha"])
    assert set(held(registry)) == {"alpha"}
    assert registry.unload("alpha")
    assert "was not written" in caplog.text


def test_a_path_is_remembered_from_wherever_the_server_starts(file: Path) -> None:
    Memory(file).add("alpha", Path("alpha"), "0" * 64)
    assert Memory(file).read() == {"alpha": Remembered(str(Path.cwd() / "alpha"), "0" * 64)}
