"""A training that is killed goes on from its newest whole checkpoint, to the same adapter."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch
from safetensors.torch import load_file

from lorakit.contracts import MetricEvent, TrainSpec, decode_event
from lorakit.package import unpack
from lorakit.rundir import Run
from lorakit.train.checkpoints import find_resumable, mark_complete

ROWS: list[dict[str, object]] = [
    {
        "messages": [
            {"role": "user", "content": f"Where is order AB-{number}?"},
            {"role": "assistant", "content": f"queue=logistics order={number}"},
        ]
    }
    for number in range(40)
]


def start(directory: Path) -> subprocess.Popen[bytes]:
    """A training child."""
    return subprocess.Popen(
        [sys.executable, "-m", "lorakit.train", "--run-dir", str(directory)],
        cwd=Path(__file__).parents[2],
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def weights(directory: Path, unpacked: Path) -> dict[str, torch.Tensor]:
    """The trained matrices of a finished run."""
    unpack(directory / "output" / "adapter.tar.gz", unpacked)
    return load_file(unpacked / "adapter_model.safetensors")


def losses(directory: Path) -> dict[int, float]:
    """Loss by step; a step that was done twice shows its last."""
    lines = (directory / "progress.jsonl").read_text().splitlines()
    events = [event for event in map(decode_event, lines) if isinstance(event, MetricEvent)]
    return {event.step: event.loss for event in events if event.loss is not None}


def test_a_killed_training_ends_with_the_same_adapter(tmp_path: Path, train_run: Callable[..., Run[TrainSpec]]) -> None:
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    for directory in (whole, killed):
        directory.mkdir()
        train_run(directory, ROWS, max_steps=40, save_steps=10)
    undisturbed, child = start(whole), start(killed)
    deadline = time.monotonic() + 120
    while not (killed / "checkpoints" / "checkpoint-10" / "COMPLETE").exists():
        assert time.monotonic() < deadline
        assert child.poll() is None
        time.sleep(0.02)
    child.send_signal(signal.SIGKILL)
    child.wait()
    assert not (killed / "result.json").exists()

    assert start(killed).wait(120) == 0
    assert undisturbed.wait(120) == 0
    log = (killed / "progress.jsonl").read_text()
    assert "Resuming from step" in log
    assert list(losses(killed)) == list(range(1, 41))
    for step, loss in losses(whole).items():
        assert abs(losses(killed)[step] - loss) < 0.02
    expected = weights(whole, tmp_path / "a")
    found = weights(killed, tmp_path / "b")
    assert max(float((found[name] - expected[name]).abs().max()) for name in expected) < 0.01


def test_only_a_whole_checkpoint_of_the_same_work_is_taken(tmp_path: Path) -> None:
    for step in (10, 20, 30, 40):
        (tmp_path / f"checkpoint-{step}").mkdir()
    mark_complete(tmp_path / "checkpoint-10", "this work")
    mark_complete(tmp_path / "checkpoint-20", "this work")
    mark_complete(tmp_path / "checkpoint-40", "other work")
    assert find_resumable(tmp_path, "this work") == tmp_path / "checkpoint-20"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["checkpoint-10", "checkpoint-20"]
