"""A training that is killed, wherever that happens, ends as if nothing had been: the same losses, the same bytes."""

import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from lorakit.contracts import MetricEvent, TrainManifest, TrainSpec, decode_event
from lorakit.digest import file_sha256
from lorakit.package import PACKAGE
from lorakit.rundir import Run
from lorakit.train.checkpoints import find_resumable, mark_complete
from lorakit.train.training import identify_work, train

pytestmark = pytest.mark.slow

TrainRun = Callable[..., Run[TrainSpec]]

ROWS: list[dict[str, object]] = [
    {
        "messages": [
            {"role": "user", "content": f"Where is order AB-{number}?"},
            {"role": "assistant", "content": f"queue=logistics order={number} " + "please " * (number % 5)},
        ]
    }
    for number in range(42)
]
# Dropout draws from the random state; batches of 4 end no epoch of 42 rows; a step has two of them; evaluations come
# between the checkpoints; the last step ends no epoch. All of it must be where it was.
HARD: dict[str, object] = {
    "dropout": 0.1,
    "max_steps": 25,
    "save_steps": 3,
    "eval_steps": 4,
    "eval_rows": 4,
    "gradient_accumulation": 2,
}


def prepare(directory: Path, train_run: TrainRun) -> Run[TrainSpec]:
    """A run with held-out rows."""
    run = train_run(directory, ROWS, **HARD)
    evaluation = run.input("eval", "rows.jsonl")
    evaluation.parent.mkdir(parents=True)
    evaluation.write_text("".join(json.dumps(row) + "\n" for row in ROWS[:4]))
    return run


def losses(directory: Path) -> list[tuple[int, float | None, float | None]]:
    """Step, loss and evaluation loss in order; a step that was done twice counts as it was the last time."""
    lines = (directory / "progress.jsonl").read_text().splitlines()
    events = [event for event in map(decode_event, lines) if isinstance(event, MetricEvent)]
    seen = {(event.step, event.loss is None): (event.step, event.loss, event.eval_loss) for event in events}
    return [seen[key] for key in sorted(seen)]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, train_run: TrainRun) -> Path:
    """The directory of a training that nothing disturbed."""
    run = prepare(tmp_path_factory.mktemp("whole"), train_run)
    train(run)
    return run.directory


def start(directory: Path) -> subprocess.Popen[bytes]:
    """A training child."""
    return subprocess.Popen(
        [sys.executable, "-m", "lorakit.train", "--run-dir", str(directory)],
        cwd=Path(__file__).parents[2],
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def reached(directory: Path, step: int) -> bool:
    """Whether a metric of this step was reported."""
    log = directory / "progress.jsonl"
    return log.exists() and f'"step":{step},' in log.read_text()


def test_killed_at_random_moments_it_ends_the_same(whole: Path, tmp_path: Path, train_run: TrainRun) -> None:
    run = prepare(tmp_path, train_run)
    draw = random.Random(7)
    for step in (4, 13):
        child = start(tmp_path)
        deadline = time.monotonic() + 200
        while not reached(tmp_path, step):
            assert time.monotonic() < deadline
            assert child.poll() is None
            time.sleep(0.01)
        # A step takes some hundredths of a second: this may hit a step, a checkpoint or an evaluation.
        time.sleep(draw.uniform(0, 0.2))
        child.send_signal(signal.SIGKILL)
        child.wait()
        assert not (tmp_path / "result.json").exists()
    assert start(tmp_path).wait(250) == 0

    assert losses(tmp_path) == losses(whole)
    assert file_sha256(run.output / PACKAGE) == file_sha256(whole / "output" / PACKAGE)
    manifest = TrainManifest.from_json((run.output / "manifest.json").read_text())
    undisturbed = TrainManifest.from_json((whole / "output" / "manifest.json").read_text())
    first, second = manifest.resumed_from
    assert (first % 3, second % 3) == (0, 0)
    assert 3 <= first <= second
    assert undisturbed.resumed_from == ()
    assert manifest.metrics["train_loss"] == undisturbed.metrics["train_loss"]


def test_killed_after_the_last_step_it_packs_what_was_trained(
    whole: Path, tmp_path: Path, train_run: TrainRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = prepare(tmp_path, train_run)

    def die(*arguments: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as dying:
        dying.setattr("lorakit.train.training.package", die)
        with pytest.raises(KeyboardInterrupt):
            train(run)
    state = json.loads((run.checkpoints / f"checkpoint-{HARD['max_steps']}" / "trainer_state.json").read_text())
    final = train(Run(tmp_path, run.spec, area="training"))

    assert final["steps"] == HARD["max_steps"]
    assert 0 < state["log_history"][-1]["train_seconds"] <= final["train_seconds"], "both attempts count"
    assert losses(tmp_path) == losses(whole)
    assert file_sha256(run.output / PACKAGE) == file_sha256(whole / "output" / PACKAGE)
    manifest = TrainManifest.from_json((whole / "output" / "manifest.json").read_text())
    assert final["train_loss"] == manifest.metrics["train_loss"]


def test_a_marked_checkpoint_whose_copy_was_cut_off_is_not_taken(tmp_path: Path) -> None:
    for step in (10, 20, 30):
        checkpoint = tmp_path / f"checkpoint-{step}"
        checkpoint.mkdir()
        (checkpoint / "optimizer.pt").write_bytes(b"whole")
        mark_complete(checkpoint, "this work")
    (tmp_path / "checkpoint-20" / "optimizer.pt").write_bytes(b"who")
    (tmp_path / "checkpoint-30" / "optimizer.pt").unlink()
    assert find_resumable(tmp_path, "this work") == tmp_path / "checkpoint-10"


def test_only_a_whole_checkpoint_of_the_same_work_is_taken(tmp_path: Path) -> None:
    for step in (10, 20, 30, 40):
        (tmp_path / f"checkpoint-{step}").mkdir()
    mark_complete(tmp_path / "checkpoint-10", "this work")
    mark_complete(tmp_path / "checkpoint-20", "this work")
    mark_complete(tmp_path / "checkpoint-40", "other work")
    assert find_resumable(tmp_path, "this work") == tmp_path / "checkpoint-20"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["checkpoint-10", "checkpoint-20"]


def test_a_checkpoint_from_before_the_choice_of_answers_is_of_the_same_work(
    tmp_path: Path, train_run: TrainRun
) -> None:
    run = train_run(tmp_path, ROWS, learning_rate=1e-5)
    before = (
        '{"base_model":"","base_id":"tiny-llama","r":8,"alpha":32,"dropout":0.0,"target_modules":"all-linear",'
        '"epochs":3.0,"max_steps":12,"learning_rate":0.00001,"scheduler":"cosine","warmup_steps":2,"batch_size":4,'
        '"gradient_accumulation":1,"max_length":512,"quantization":"nf4","seed":0,"threads":1,"save_steps":50,'
        '"logging_steps":1,"eval_steps":50,"eval_rows":64,"schema":1}'
    )
    rows = file_sha256(run.input("train", "rows.jsonl"))
    assert identify_work(run) == hashlib.sha256(f"{before}\n{rows}".encode()).hexdigest()
    other = train_run(tmp_path, ROWS, learning_rate=1e-5, learn="last_answer")
    assert identify_work(other) != identify_work(run)


def test_a_checkpoint_of_other_threads_is_of_the_same_work(tmp_path: Path, train_run: TrainRun) -> None:
    assert identify_work(train_run(tmp_path, ROWS, threads=0)) == identify_work(train_run(tmp_path, ROWS, threads=4))
