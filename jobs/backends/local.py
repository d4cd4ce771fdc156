"""Runs compute as a leased child process on this machine, in a run directory (see lorakit.rundir).

The child can outlive the worker that started it: every observation renews its lease, and a child whose lease expires
ends itself. So nothing is lost when a worker dies, and no child is left behind when the site is shut down.
"""

import errno
import fcntl
import json
import os
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, ClassVar, Literal

from jobs.backends.base import ComputeBackend, ComputeError, ComputeSpec, Observation, RunState, Unavailable
from jobs.backends.environment import child_environment
from lorakit.disk import DISK_FULL
from lorakit.machine import processors
from storage.objects import read_range

# A child that has not taken its lock by then never will: it imports torch only after taking the lock.
START_SECONDS = 30
# With less free disk space than this, no run is started and none counts as lost: the full disk may have ended it.
ROOM_BYTES = 64 << 20

# One step copies inputs for this long, well within a task's time limit; the next step continues from there.
FETCH_SECONDS = 30.0
FETCH_BYTES = 16 << 20

# A small base model gains little from more.
MOST_THREADS = 8

# Only this much of the end of a log is read.
LOG_BYTES = 64 << 10


class LocalCompute(ComputeBackend):
    """Options: ROOT (folder of run directories), LEASE_SECONDS, MEMORY_LIMIT_BYTES (address space; 0 for none) and
    THREADS.

    Each run computes in THREADS threads. With 0 it has an even share of the processors: the same number however many
    runs there are at the moment, because the rounding of sums, and so what a training learns, depends on it.
    """

    options: ClassVar[dict[str, Any]] = {
        **ComputeBackend.options,
        "ROOT": "",
        "LEASE_SECONDS": 30,
        "MEMORY_LIMIT_BYTES": 0,
        "THREADS": 0,
    }

    def __init__(self, alias: str, options: dict[str, Any]) -> None:
        super().__init__(alias, options)
        merged = {**self.options, **options}
        self.root = Path(merged["ROOT"])
        self.lease_seconds = int(merged["LEASE_SECONDS"])
        self.memory_limit = int(merged["MEMORY_LIMIT_BYTES"])
        self.threads = int(merged["THREADS"]) or min(MOST_THREADS, max(1, processors() // max(1, self.max_running)))

    def submit(self, name: str, spec: ComputeSpec) -> None:
        run = self.root / name
        _make_private(self.root)
        self._check_room()
        try:
            with self._alone(name):
                if not (run / "submitted").exists() and self._prepare(run, spec):
                    self._spawn(run, spec.module)
        except BlockingIOError:
            # A worker whose lease expired is still submitting it. The next observation shows the outcome.
            return
        except OSError as error:
            if error.errno in {errno.ENOSPC, errno.EDQUOT}:
                raise Unavailable(DISK_FULL.code, DISK_FULL.text) from error
            raise ComputeError(
                "platform:compute_start", f"The run could not be started: {error.strerror}.", temporary=True
            ) from error

    def observe(self, name: str, cursor: int = 0) -> Observation:
        run = self.root / name
        if not (run / "submitted").exists():
            return Observation(state=RunState.MISSING)
        # The order matters. The result is read after the lock was seen free; otherwise a child that ends just now would
        # look lost. And the lock is not tried before the child holds it, because trying would keep the child out.
        ended = self._has_started(run) and _lock_is_free(run / "lock")
        result = _read_result(run)
        if not ended and not result:
            os.utime(run / "lease")
        events, position = _read_events(run / "progress.jsonl", cursor)
        state = _state(ended, result, asked_to_stop=(run / "cancel").exists())
        if state is RunState.LOST:
            # A full disk can keep a child from writing its result. It is restarted once there is room.
            self._check_room()
        return Observation(
            state=state,
            events=events,
            cursor=position,
            result=result,
            billable_seconds=_billable_seconds(run, ended),
        )

    def cancel(self, name: str) -> None:
        run = self.root / name
        if run.exists():
            (run / "cancel").touch(mode=0o600)

    def fetch(self, name: str, artifact: str, destination: Path) -> None:
        shutil.copyfile(self.root / name / "output" / Path(artifact).name, destination)

    def log_tail(self, name: str, lines: int = 100) -> tuple[str, ...]:
        path = self.root / name / "log.txt"
        if not path.exists():
            return ()
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - LOG_BYTES))
            return tuple(file.read().decode(errors="replace").splitlines()[-lines:])

    def discard(self, name: str, *, checkpoint_key: str = "") -> None:
        shutil.rmtree(self.root / name, ignore_errors=True)
        self._lock_of(name).unlink(missing_ok=True)
        if checkpoint_key:
            shutil.rmtree(self.root / "checkpoints" / checkpoint_key, ignore_errors=True)

    def _lock_of(self, name: str) -> Path:
        return self.root / f"{name}.submitting"

    @contextmanager
    def _alone(self, name: str) -> Iterator[None]:
        """Keep others from submitting this run meanwhile. Raises BlockingIOError if somebody already is.

        A process that dies releases the lock immediately.
        """
        with _open_private(self._lock_of(name), "wb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield

    def _check_room(self) -> None:
        if shutil.disk_usage(self.root).free < ROOM_BYTES:
            raise Unavailable(DISK_FULL.code, DISK_FULL.text)

    def _prepare(self, run: Path, spec: ComputeSpec) -> bool:
        """Prepare the run for its child. Returns False if another call has to continue copying its inputs.

        Continues what an interrupted call left behind. That was never started, because the file `submitted` comes last.
        """
        _make_private(run, run / "output")
        if spec.checkpoint_key:
            checkpoints = self.root / "checkpoints" / spec.checkpoint_key
            _make_private(self.root / "checkpoints", checkpoints)
        else:
            checkpoints = run / "checkpoints"
            _make_private(checkpoints)
        if spec.checkpoint_key and not (run / "checkpoints").is_symlink():
            (run / "checkpoints").symlink_to(checkpoints)
        until = time.monotonic() + FETCH_SECONDS
        for channel, files in spec.inputs.items():
            folder = run / "inputs" / channel
            _make_private(run / "inputs", folder)
            for item in files:
                if not _fetch(item.key, folder / item.filename, until):
                    return False
        with _open_private(run / "spec.json", "wb") as file:
            file.write(json.dumps(spec.spec).encode())
        (run / "lease").touch(mode=0o600)
        (run / "submitted").touch(mode=0o600)
        return True

    def _spawn(self, run: Path, module: str) -> None:
        environment = {
            **child_environment(),
            "PYTHONUNBUFFERED": "1",
            # Customers read the log; warnings from libraries are meant for programmers.
            "PYTHONWARNINGS": "ignore",
            "RUN_LEASE_SECONDS": str(self.lease_seconds),
            "OMP_NUM_THREADS": str(self.threads),
        }
        with _open_private(run / "log.txt", "ab") as log:
            # The command is this interpreter with a module named by a registered kind. It receives no secrets.
            subprocess.Popen(
                [sys.executable, "-m", module, "--run-dir", str(run)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=environment,
                cwd=run,
                start_new_session=True,
                umask=0o077,
                preexec_fn=self._limit_memory if self.memory_limit else None,
            )

    def _limit_memory(self) -> None:
        resource.setrlimit(resource.RLIMIT_AS, (self.memory_limit, self.memory_limit))

    def _has_started(self, run: Path) -> bool:
        age = time.time() - (run / "submitted").stat().st_mtime
        return (run / "pid").exists() or age > START_SECONDS


def _make_private(*folders: Path) -> None:
    """Create each folder, or close an existing one to other users: it holds customers' rows."""
    for folder in folders:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.chmod(0o700)


def _open_private(path: Path, mode: Literal["wb", "ab"]) -> BinaryIO:
    return open(path, mode, opener=lambda name, flags: os.open(name, flags, 0o600))


def _fetch(key: str, path: Path, until: float) -> bool:
    """Copy an object, continuing where an earlier call ended. Returns whether `path` is complete.

    Objects never change, so this is safe. Every call fetches at least one block, even after `until`.
    """
    if path.exists():
        return True
    part = path.with_name(f"{path.name}.part")
    with _open_private(part, "ab") as file:
        while len(block := read_range(key, file.tell(), FETCH_BYTES)) == FETCH_BYTES:
            file.write(block)
            if time.monotonic() > until:
                return False
        file.write(block)
    part.rename(path)
    return True


def _state(ended: bool, result: dict[str, Any], *, asked_to_stop: bool) -> RunState:
    if not result:
        return RunState.LOST if ended else RunState.RUNNING
    if result.get("ok"):
        return RunState.SUCCEEDED
    if result.get("cancelled"):
        # When the machine shuts down it asks every process to end; that is not a user's stop.
        return RunState.STOPPED if asked_to_stop else RunState.LOST
    return RunState.FAILED


def _lock_is_free(path: Path) -> bool:
    if not path.exists():
        return True
    with path.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


def _read_result(run: Path) -> dict[str, Any]:
    path = run / "result.json"
    if not path.exists():
        return {}
    result: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return result


def _read_events(path: Path, cursor: int) -> tuple[tuple[dict[str, Any], ...], int]:
    """The complete lines after byte `cursor`; a line still being written is left for the next call."""
    if not path.exists():
        return (), cursor
    with path.open("rb") as file:
        file.seek(cursor)
        data = file.read(1 << 20)
    end = data.rfind(b"\n") + 1
    return tuple(json.loads(line) for line in data[:end].splitlines() if line), cursor + end


def _billable_seconds(run: Path, ended: bool) -> float:
    result, log = run / "result.json", run / "progress.jsonl"
    last = result if result.exists() else log
    finish = last.stat().st_mtime if last.exists() and (ended or result.exists()) else time.time()
    return max(0.0, finish - (run / "submitted").stat().st_mtime)
