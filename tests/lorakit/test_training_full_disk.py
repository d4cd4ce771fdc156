"""A disk that is full when a training saves: a typed failure, and what was saved before is still good.

A file that is a link to /dev/full cannot be written to, just as on a disk without room.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lorakit.contracts import TrainSpec
from lorakit.disk import DISK_FULL
from lorakit.package import PACKAGE, inspect
from lorakit.rundir import Run, run_task
from lorakit.train.training import train

pytestmark = pytest.mark.slow

TrainRun = Callable[..., Run[TrainSpec]]

ROWS: list[dict[str, object]] = [
    {"messages": [{"role": "user", "content": f"Repeat {n}."}, {"role": "assistant", "content": str(n)}]}
    for n in range(16)
]


def test_a_full_disk_at_a_checkpoint_leaves_the_one_before(
    tmp_path: Path, train_run: TrainRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = train_run(tmp_path, ROWS, max_steps=6, save_steps=2)
    emit = run.emit

    def emit_and_fill(kind: str, /, **fields: Any) -> None:
        emit(kind, **fields)
        if kind == "checkpoint" and fields["step"] == 2:
            following = run.checkpoints / "checkpoint-4"
            following.mkdir()
            (following / "trainer_state.json").symlink_to("/dev/full")

    monkeypatch.setattr(run, "emit", emit_and_fill)
    result = run_task(run, train)
    assert result.error == DISK_FULL
    assert result.error.temporary
    assert not (run.output / PACKAGE).exists()

    (run.checkpoints / "checkpoint-4" / "trainer_state.json").unlink()
    again = Run(tmp_path, run.spec, area="training")
    assert run_task(again, train).ok
    assert "Resuming from step 2." in (tmp_path / "progress.jsonl").read_text()
    assert inspect(again.output / PACKAGE).rank == 8


def test_a_full_disk_at_the_package_leaves_no_half_one(tmp_path: Path, train_run: TrainRun) -> None:
    run = train_run(tmp_path, ROWS, max_steps=2, save_steps=2)
    blocked = run.output / f"{PACKAGE}.part"
    blocked.symlink_to("/dev/full")
    result = run_task(run, train)
    assert result.error == DISK_FULL
    assert not (run.output / PACKAGE).exists()

    blocked.unlink()
    again = Run(tmp_path, run.spec, area="training")
    assert run_task(again, train).ok
    assert "Resuming from step 2." in (tmp_path / "progress.jsonl").read_text()
    assert inspect(again.output / PACKAGE).rank == 8
