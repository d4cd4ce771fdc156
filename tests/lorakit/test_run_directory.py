"""The run directory: one child at a time, watched by a lease, stopped gracefully, ended by one result."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from lorakit.contracts import RunResult, decode_event
from lorakit.rundir import EXIT_LEASE_LOST, EXIT_LOCKED

pytestmark = pytest.mark.slow

CHILD = """
import sys, time
from dataclasses import dataclass
from lorakit.errors import RunError
from lorakit.rundir import Run, execute

@dataclass(frozen=True)
class Spec:
    do: str
    schema: int = 1

def task(run: Run[Spec]) -> dict[str, float]:
    if run.spec.do == "fail":
        raise RunError("test:refused", "Try something else.", temporary=True)
    if run.spec.do == "crash":
        raise ZeroDivisionError("secret customer text")
    if run.spec.do == "wait":
        run.phase("waiting")
        while True:
            run.check_cancelled()
            time.sleep(0.02)
    (run.output / "answer.txt").write_text("42")
    return {"answer": 42.0}

sys.exit(execute(Spec, task, area="test"))
"""


def start(directory: Path, do: str, **environment: str) -> subprocess.Popen[str]:
    """Start the child on a directory."""
    directory.mkdir(exist_ok=True)
    spec = directory / "spec.json"
    if not spec.exists():
        spec.write_text(json.dumps({"do": do}))
    return subprocess.Popen(
        [sys.executable, "-c", CHILD, "--run-dir", str(directory)],
        cwd=Path(__file__).parents[2],
        env=os.environ | environment,
        stderr=subprocess.PIPE,
        text=True,
    )


def result(directory: Path) -> RunResult:
    return RunResult.from_json((directory / "result.json").read_text())


def wait_for_phase(directory: Path, phase: str) -> None:
    """Wait until the child says that it entered a phase."""
    log = directory / "progress.jsonl"
    deadline = time.monotonic() + 60
    while not (log.exists() and f'"phase":"{phase}"' in log.read_text()):
        assert time.monotonic() < deadline, "the child never got there"
        time.sleep(0.02)


def test_a_success_lists_its_artifacts(tmp_path: Path) -> None:
    assert start(tmp_path, "succeed").wait(20) == 0
    ended = result(tmp_path)
    assert ended.ok
    assert ended.metrics == {"answer": 42.0}
    assert [(a.name, a.bytes) for a in ended.artifacts] == [("answer.txt", 2)]
    assert not list(tmp_path.glob("*.part"))


def test_a_known_failure_says_what_to_do(tmp_path: Path) -> None:
    assert start(tmp_path, "fail").wait(20) == 1
    error = result(tmp_path).error
    assert error is not None
    assert (error.code, error.text, error.temporary) == ("test:refused", "Try something else.", True)


def test_a_crash_keeps_the_text_of_the_exception_out_of_the_result(tmp_path: Path) -> None:
    child = start(tmp_path, "crash")
    child.communicate(timeout=60)
    error = result(tmp_path).error
    assert error is not None
    assert error.code == "test:internal"
    assert "ZeroDivisionError" in error.text
    assert "secret" not in error.text


def test_a_wrong_spec_is_a_result_too(tmp_path: Path) -> None:
    (tmp_path / "spec.json").write_text('{"do": "succeed", "colour": "red"}')
    assert start(tmp_path, "succeed").wait(20) == 1
    error = result(tmp_path).error
    assert error is not None
    assert error.code == "test:bad_spec"
    assert "colour" in error.text


def test_a_second_child_leaves_the_first_alone(tmp_path: Path) -> None:
    first = start(tmp_path, "wait")
    wait_for_phase(tmp_path, "waiting")
    assert start(tmp_path, "wait").wait(20) == EXIT_LOCKED
    assert first.poll() is None
    assert int((tmp_path / "pid").read_text()) == first.pid
    (tmp_path / "cancel").touch()
    assert first.wait(20) == 1


@pytest.mark.parametrize("how", ["file", "signal"])
def test_cancelling_ends_with_a_cancelled_result(tmp_path: Path, how: str) -> None:
    child = start(tmp_path, "wait")
    wait_for_phase(tmp_path, "waiting")
    if how == "file":
        (tmp_path / "cancel").touch()
    else:
        child.send_signal(signal.SIGTERM)
    assert child.wait(20) == 1
    ended = result(tmp_path)
    assert ended.cancelled
    assert ended.error is not None
    assert ended.error.code == "test:cancelled"


def test_a_child_whose_lease_is_not_renewed_exits_without_a_result(tmp_path: Path) -> None:
    tmp_path.joinpath("lease").touch()
    child = start(tmp_path, "wait", RUN_LEASE_SECONDS="1")
    wait_for_phase(tmp_path, "waiting")
    assert child.wait(20) == EXIT_LEASE_LOST
    assert not (tmp_path / "result.json").exists()


def test_a_renewed_lease_keeps_the_child_alive(tmp_path: Path) -> None:
    lease = tmp_path / "lease"
    lease.touch()
    child = start(tmp_path, "wait", RUN_LEASE_SECONDS="1")
    for _ in range(10):
        time.sleep(0.2)
        lease.touch()
    assert child.poll() is None
    (tmp_path / "cancel").touch()
    assert child.wait(20) == 1


def test_a_finished_run_is_not_done_again(tmp_path: Path) -> None:
    assert start(tmp_path, "succeed").wait(20) == 0
    before = (tmp_path / "result.json").stat().st_mtime_ns
    assert start(tmp_path, "succeed").wait(20) == 0
    assert (tmp_path / "result.json").stat().st_mtime_ns == before


def test_events_count_on_after_a_kill_that_tore_the_last_line(tmp_path: Path) -> None:
    child = start(tmp_path, "wait")
    wait_for_phase(tmp_path, "waiting")
    child.kill()
    child.wait(20)
    log = tmp_path / "progress.jsonl"
    whole = log.read_text()
    log.write_text(whole + '{"seq": 99, "t": 1')
    (tmp_path / "cancel").touch()
    assert start(tmp_path, "wait").wait(20) == 1
    events = [decode_event(line) for line in log.read_text().splitlines()]
    assert [event.seq for event in events] == list(range(1, len(events) + 1))
    assert log.read_text().startswith(whole)
