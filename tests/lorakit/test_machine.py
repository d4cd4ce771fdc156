import os
from pathlib import Path

import pytest
import torch

from lorakit.machine import memory_bytes, processors
from lorakit.threads import use_threads


def container(folder: Path, **limits: str) -> Path:
    for name, text in limits.items():
        (folder / name.replace("_", ".")).write_text(text)
    return folder


@pytest.fixture(autouse=True)
def eight_processors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)))


@pytest.mark.parametrize(
    ("quota", "count"),
    [
        ("max 100000\n", 8),
        ("400000 100000\n", 4),
        ("150000 100000\n", 1),
        ("50000 100000\n", 1),
        ("9000000 100000\n", 8),
    ],
)
def test_a_containers_quota_limits_the_processors(tmp_path: Path, quota: str, count: int) -> None:
    assert processors(container(tmp_path, cpu_max=quota)) == count


def test_without_a_container_all_are_there(tmp_path: Path) -> None:
    assert processors(tmp_path) == 8
    assert memory_bytes(tmp_path) == memory_bytes(container(tmp_path, memory_max="max\n")) > 1 << 30


def test_a_containers_limit_is_its_memory(tmp_path: Path) -> None:
    assert memory_bytes(container(tmp_path, memory_max="1048576\n")) == 1 << 20


def test_no_number_of_threads_means_as_many_as_there_are() -> None:
    before = torch.get_num_threads()
    try:
        assert use_threads(3) == 3
        assert use_threads(0) == 3
    finally:
        torch.set_num_threads(before)
