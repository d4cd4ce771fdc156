"""A generation that is killed goes on with what it had written, and writes nothing twice."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from lorakit import sagemaker
from lorakit.contracts import GenerateSpec, MetricEvent, decode_event
from lorakit.errors import RunCancelled
from lorakit.generate.answers import answers_path
from lorakit.generate.generation import generate
from lorakit.package import PACKAGE
from lorakit.rundir import Run
from tests.lorakit.generation_runs import predictions, prepare, question, texts

pytestmark = pytest.mark.slow

ROWS = [question(number, f"Repeat the text.\nOrder AB-{number * 37} is late.") for number in range(40)]


def start(directory: Path) -> subprocess.Popen[bytes]:
    """A generation child."""
    return subprocess.Popen(
        [sys.executable, "-m", "lorakit.generate", "--run-dir", str(directory)],
        cwd=Path(__file__).parents[2],
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def kill_after(directory: Path, lines: int) -> Path:
    """Run a child until this many answers are written, and kill it. Returns the file of its answers."""
    child = start(directory)
    deadline = time.monotonic() + 200
    while True:
        assert time.monotonic() < deadline
        assert child.poll() is None
        found = list((directory / "checkpoints").glob("answers-*.jsonl"))
        if found and found[0].read_bytes().count(b"\n") >= lines:
            break
        time.sleep(0.002)
    child.send_signal(signal.SIGKILL)
    child.wait()
    assert not (directory / "result.json").exists()
    return found[0]


def whole_lines(path: Path) -> bytes:
    data = path.read_bytes()
    return data[: data.rfind(b"\n") + 1]


def asked(directory: Path, base: Path, package: Path) -> Run[GenerateSpec]:
    """Both models, few rows at a time, so that a kill falls into the middle."""
    return prepare(directory, base, {"v1": package}, ROWS, targets=("base", "v1"), batch_size=2, max_new_tokens=12)


def test_killed_midway_it_ends_with_every_answer_once(base: Path, adapters: dict[str, Path], tmp_path: Path) -> None:
    undisturbed = asked(tmp_path / "whole", base, adapters["alpha"])
    generate(undisturbed)
    run = asked(tmp_path / "killed", base, adapters["alpha"])
    answers = kill_after(run.directory, 20)
    kept = whole_lines(answers)
    answers.write_bytes(kept + b'{"id":"q1","target":"ba')
    assert start(run.directory).wait(200) == 0

    assert answers.read_bytes().startswith(kept), "what was written is not generated again"
    assert answers.read_bytes().count(b"\n") == 80
    found = [(prediction.id, prediction.target) for prediction in predictions(run.output)]
    assert found == [(f"q{number}", target) for number in range(40) for target in ("base", "v1")]
    assert texts(run.output) == texts(undisturbed.output)
    lines_of_output = set((run.output / "predictions.jsonl").read_bytes().splitlines())
    assert set(kept.splitlines()) <= lines_of_output
    events = [decode_event(line) for line in (run.directory / "progress.jsonl").read_text().splitlines()]
    steps = [event.step for event in events if isinstance(event, MetricEvent)]
    assert steps == sorted(steps)
    assert steps[-1] == 80


def test_a_later_attempt_elsewhere_continues_with_the_same_checkpoints(
    base: Path, adapters: dict[str, Path], tmp_path: Path
) -> None:
    first = asked(tmp_path / "first", base, adapters["alpha"])
    kept = whole_lines(kill_after(first.directory, 10))
    root = tmp_path / "ml"
    data = root / "input" / "data"
    data.mkdir(parents=True)
    (data / "spec").mkdir()
    (data / "spec" / "spec.json").write_text((first.directory / "spec.json").read_text())
    for channel in ("prompts", "v1"):
        (data / channel).symlink_to(first.directory / "inputs" / channel)
    (data / "base").symlink_to(base)
    (root / "checkpoints").symlink_to(first.checkpoints)
    handler = signal.getsignal(signal.SIGTERM)
    try:
        assert sagemaker.main(["--root", str(root), "--module", "lorakit.generate"]) == 0
    finally:
        signal.signal(signal.SIGTERM, handler)
    assert set(kept.splitlines()) <= set((root / "model" / "predictions.jsonl").read_bytes().splitlines())
    assert len(texts(root / "model")) == 80
    assert "Continuing with" in (root / "output" / "data" / "progress.jsonl").read_text()


def test_a_cancelled_run_keeps_its_answers(
    base: Path, adapters: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = prepare(tmp_path, base, {"v1": adapters["alpha"]}, targets=("base", "v1"), batch_size=1)
    path = answers_path(run)
    monkeypatch.setattr(run, "cancelled", lambda: path.exists() and path.read_bytes().count(b"\n") >= 2)
    with pytest.raises(RunCancelled):
        generate(run)
    assert not (run.output / "predictions.jsonl").exists()
    kept = path.read_bytes()
    generate(Run(tmp_path, run.spec, area="generation"))
    assert path.read_bytes().startswith(kept)
    assert len(texts(run.output)) == 6
    # All answers are there, so another attempt asks no model and leaves the same.
    output = (run.output / "predictions.jsonl").read_bytes()
    generate(Run(tmp_path, run.spec, area="generation"))
    assert (run.output / "predictions.jsonl").read_bytes() == output


@pytest.mark.parametrize("change", ["prompts", "package", "length"])
def test_answers_of_other_work_are_not_taken(
    change: str, base: Path, adapters: dict[str, Path], tmp_path: Path
) -> None:
    run = prepare(tmp_path, base, {"v1": adapters["alpha"]}, targets=("v1",), batch_size=4)
    generate(run)
    old = texts(run.output)
    (before,) = run.checkpoints.iterdir()
    if change == "prompts":
        path = run.input("prompts", "rows.jsonl")
        path.write_text(json.dumps(question(0, "Repeat the text.\nNo rush.")) + "\n")
    elif change == "package":
        run.input("v1", PACKAGE).write_bytes(adapters["omega"].read_bytes())
    else:
        run.spec = GenerateSpec(base_model=str(base), targets=("v1",), max_new_tokens=2)
    generate(run)
    (after,) = run.checkpoints.iterdir()
    assert after.name != before.name
    assert texts(run.output) != old


def test_another_batch_size_is_the_same_work(base: Path, tmp_path: Path) -> None:
    run = prepare(tmp_path, base, targets=("base",), batch_size=4)
    other = Run(tmp_path, GenerateSpec(base_model="elsewhere", targets=("base",), max_new_tokens=24, threads=2))
    assert answers_path(run) == answers_path(other)
