"""The run directory, through which a compute child is given work, observed and stopped.

    DIR/spec.json               the spec (read-only)
    DIR/inputs/CHANNEL/FILE     inputs (read-only)
    DIR/output/                 the files the run leaves, without folders
    DIR/checkpoints/            state to resume from
    DIR/progress.jsonl          events, one per line
    DIR/result.json             the result, written once and atomically
    DIR/lease                   its modification time is renewed by the observer; once too old, the child exits
    DIR/cancel                  exists: stop gracefully
    DIR/lock, DIR/pid           held and written by the child

A module's main is `execute(SpecType, task, area="training")`. SIGTERM is a graceful cancel too.
"""

import argparse
import fcntl
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any, Generic, TypeVar

from lorakit.contracts import (
    EVENT_TYPES,
    Artifact,
    Failure,
    RunResult,
    decode,
    decode_event,
    encode,
)
from lorakit.digest import file_sha256
from lorakit.disk import DISK_FULL, is_disk_full
from lorakit.errors import ContractError, RunCancelled, RunError

LEASE_SECONDS = 30.0
EXIT_FAILED = 1
EXIT_LOCKED = 73
EXIT_LEASE_LOST = 75

S = TypeVar("S")


class Run(Generic[S]):
    """A task's view of its run directory.

    With several processes on one directory (one per GPU), only the leader, rank 0, writes events and the
    result.
    """

    def __init__(self, directory: Path, spec: S, *, area: str = "run", leader: bool = True) -> None:
        self.directory = directory
        self.spec = spec
        self.area = area
        self.leader = leader
        self.output = directory / "output"
        self.checkpoints = directory / "checkpoints"
        self._stop = threading.Event()
        self._emitting = threading.Lock()
        self.hashes: dict[str, str] = {}
        for path in (self.output, self.checkpoints):
            path.mkdir(exist_ok=True)
        self._seq = resume_progress(directory / "progress.jsonl") if leader else 0

    def input(self, channel: str, name: str) -> Path:
        """The path of an input file, which need not exist."""
        return self.directory / "inputs" / channel / name

    def emit(self, kind: str, /, **fields: Any) -> None:
        """Append an event of one of `EVENT_TYPES`."""
        if not self.leader:
            return
        with self._emitting:
            self._seq += 1
            event = EVENT_TYPES[kind](seq=self._seq, t=round(time.time(), 3), **fields)
            known = {name: value for name, value in asdict(event).items() if value is not None}
            with (self.directory / "progress.jsonl").open("a") as log:
                log.write(encode(known) + "\n")

    def know_hash(self, artifact: str, sha256: str) -> None:
        """Set the SHA-256 of a file in output/, calculated while it was written, so that it is not read again."""
        self.hashes[artifact] = sha256

    def phase(self, name: str) -> None:
        """Report what the run is doing now."""
        self.emit("phase", phase=name)

    def message(self, text: str) -> None:
        """Report something to the person who reads the run."""
        self.emit("message", text=text)

    def request_stop(self) -> None:
        """Ask the task to stop gracefully; safe to call in a signal handler."""
        self._stop.set()

    def cancelled(self) -> bool:
        """Whether the run was asked to stop."""
        return self._stop.is_set() or (self.directory / "cancel").exists()

    def check_cancelled(self) -> None:
        """Raise `RunCancelled` if the run was asked to stop."""
        if self.cancelled():
            raise RunCancelled(f"{self.area}:cancelled")


def resume_progress(path: Path) -> int:
    """The last event's number, 0 for none. Removes an incomplete line that a killed run left."""
    if not path.exists():
        return 0
    data = path.read_bytes()
    whole = data[: data.rfind(b"\n") + 1]
    if len(whole) != len(data):
        with path.open("r+b") as log:
            log.truncate(len(whole))
    lines = whole.splitlines()
    return decode_event(lines[-1]).seq if lines else 0


def write_atomically(path: Path, text: str) -> None:
    """Write a file so that a reader sees all of it or nothing, even after a crash."""
    with written_atomically(path) as file:
        file.write(text.encode())


@contextmanager
def written_atomically(path: Path) -> Iterator[IO[bytes]]:
    """A file to write to, which is at `path` once the block has ended without an error, and not before."""
    part = path.with_name(path.name + ".part")
    with part.open("wb") as file:
        yield file
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


def list_artifacts(output: Path, hashes: Mapping[str, str]) -> tuple[Artifact, ...]:
    """The files directly in a run's output, sorted by name; `hashes` are those already known."""
    return tuple(
        Artifact(name=path.name, sha256=hashes.get(path.name) or file_sha256(path), bytes=path.stat().st_size)
        for path in sorted(output.iterdir())
        if path.is_file()
    )


def acquire_lock(directory: Path) -> int | None:
    """Lock a run directory for the life of this process. Returns None if another process holds the lock."""
    descriptor = os.open(directory / "lock", os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


def lease_expired(lease: Path, seconds: float) -> bool:
    """Whether the lease was not renewed for `seconds`; a missing lease has expired too."""
    try:
        return time.time() - lease.stat().st_mtime > seconds
    except FileNotFoundError:
        return True


def watch_lease(directory: Path) -> None:
    """End this process immediately if the lease expires. Has no effect without a lease file."""
    lease = directory / "lease"
    if not lease.exists():
        return
    seconds = float(os.environ.get("RUN_LEASE_SECONDS", LEASE_SECONDS))

    def watch() -> None:
        while not lease_expired(lease, seconds):
            time.sleep(min(1.0, seconds / 3))
        os._exit(EXIT_LEASE_LOST)

    threading.Thread(target=watch, name="lease", daemon=True).start()


def run_task(run: Run[S], task: Callable[[Run[S]], dict[str, float]]) -> RunResult:
    """Run a task and turn its outcome or error into a result."""
    try:
        metrics = task(run)
        return RunResult(ok=True, artifacts=list_artifacts(run.output, run.hashes), metrics=metrics)
    except RunError as error:
        failure = Failure(code=error.code, text=error.text, temporary=error.temporary)
        return RunResult(ok=False, error=failure, cancelled=isinstance(error, RunCancelled))
    except MemoryError:
        text = "The machine ran out of memory. Use a smaller batch or shorter rows."
        return RunResult(ok=False, error=Failure(code=f"{run.area}:out_of_memory", text=text))
    except Exception as error:
        traceback.print_exc()
        if is_disk_full(error, run.directory):
            return RunResult(ok=False, error=DISK_FULL)
        text = f"The run stopped on an unexpected error ({type(error).__name__}). Its log says where."
        return RunResult(ok=False, error=Failure(code=f"{run.area}:internal", text=text))


def execute(
    spec_type: type[S],
    task: Callable[[Run[S]], dict[str, float]],
    *,
    area: str = "run",
    argv: Sequence[str] | None = None,
) -> int:
    """The main function of a compute child. Returns the exit status.

    `task` gets the `Run` and returns the final metrics; the files it writes to output/ become the
    artifacts. Slow imports belong in `task`, so that lock and lease are held from the start. A directory that already
    has a result is not changed.
    """
    parser = argparse.ArgumentParser()
    parser.add_argument("--run-dir", type=Path, required=True)
    directory: Path = parser.parse_args(argv).run_dir
    leader = os.environ.get("RANK", os.environ.get("LOCAL_RANK", "0")) == "0"
    result_path = directory / "result.json"
    if leader and acquire_lock(directory) is None:
        sys.stderr.write(f"Another process is running in {directory}.\n")
        return EXIT_LOCKED
    if result_path.exists():
        return 0 if RunResult.from_json(result_path.read_bytes()).ok else EXIT_FAILED
    if leader:
        (directory / "pid").write_text(f"{os.getpid()}\n")
    watch_lease(directory)
    try:
        run = Run(directory, decode(spec_type, (directory / "spec.json").read_bytes()), area=area, leader=leader)
    except (ContractError, FileNotFoundError) as error:
        text = f"spec.json cannot be used. {error.text if isinstance(error, ContractError) else error.strerror}"
        result = RunResult(ok=False, error=Failure(code=f"{area}:bad_spec", text=text))
    else:
        signal.signal(signal.SIGTERM, lambda signum, frame: run.request_stop())
        run.phase("starting")
        result = run_task(run, task)
    if leader:
        write_atomically(result_path, result.to_json() + "\n")
    return 0 if result.ok else EXIT_FAILED
