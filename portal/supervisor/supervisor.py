"""Starts processes, starts again the ones that die or hang, stops them all in reverse order.

A full disk ends some of them. Nothing here needs to write, and once there is room again those that wait are started at
once.
"""

import os
import signal
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass, field

from lorakit.disk import is_full
from portal.embedded.process import last_lines, spawn, stop
from portal.supervisor.console import Console
from portal.supervisor.processes import Process

_FIRST_DELAY_SECONDS = 1.0
_LONGEST_DELAY_SECONDS = 30.0
_STEADY_SECONDS = 60.0
_TICK_SECONDS = 0.1
_KILL_WAIT_SECONDS = 5.0
_DISK_LOOK_SECONDS = 2.0


class SupervisorError(Exception):
    """The site cannot run; the text says which process, why as far as known, and what to do."""


@dataclass
class _Child:
    process: Process
    popen: subprocess.Popen[bytes] | None = None
    reader: threading.Thread | None = None
    started_at: float = 0.0
    delay: float = _FIRST_DELAY_SECONDS
    restart_at: float | None = None
    restarts: int = 0


@dataclass
class Supervisor:
    """Keeps `processes` running from `start` to `stop`. They die with this process, however it ends."""

    processes: Sequence[Process]
    console: Console
    _children: dict[str, _Child] = field(default_factory=dict, repr=False)
    _watcher: threading.Thread | None = field(default=None, repr=False)
    _stopping: threading.Event = field(default_factory=threading.Event, repr=False)
    _disk_is_full: bool = field(default=False, repr=False)
    _disk_looked_at: float = field(default=0.0, repr=False)

    def start(self) -> None:
        """Start every process and watch over them from a thread."""
        self._watcher = threading.Thread(target=self._watch, name="supervisor", daemon=True)
        self._children = {process.name: _Child(process) for process in self.processes}
        self._watcher.start()

    def wait_ready(self, timeout: float = 120.0) -> None:
        """Return when every process runs and answers as healthy; SupervisorError after `timeout` seconds."""
        deadline = time.monotonic() + timeout
        waiting = [child.process for child in self._children.values()]
        while waiting:
            waiting = [process for process in waiting if not self._is_ready(process)]
            if waiting and time.monotonic() > deadline:
                name = waiting[0].name
                raise SupervisorError(
                    f"{name} did not become ready within {timeout:.0f} s; its log {self.console.path(name)} "
                    f"ends with:\n{last_lines(self.console.path(name))}"
                )
            if waiting and self._stopping.wait(_TICK_SECONDS):
                raise SupervisorError(f"Stopped before {waiting[0].name} was ready.")

    def stop(self) -> None:
        """Ask each process to end, last started first; what does not end in its time is killed."""
        self._stopping.set()
        if self._watcher is not None:
            self._watcher.join()

    def kill(self) -> None:
        """Kill every process at once; a `stop` under way then ends immediately."""
        self._stopping.set()
        for child in self._children.values():
            _kill_group(child)

    def pid(self, name: str) -> int | None:
        """The process id that `name` runs under now; None between a death and the restart."""
        popen = self._children[name].popen
        return popen.pid if popen is not None and popen.poll() is None else None

    def restarts(self, name: str) -> int:
        return self._children[name].restarts

    def _watch(self) -> None:
        # All children are started by this thread, because they die with the thread that forked them.
        for child in self._children.values():
            if not self._stopping.is_set():
                self._try_to_launch(child)
        while not self._stopping.wait(_TICK_SECONDS):
            self._look_at_disk()
            for child in self._children.values():
                self._look_after(child)
        for child in reversed(list(self._children.values())):
            self._end(child)

    def _look_at_disk(self) -> None:
        now = time.monotonic()
        if now < self._disk_looked_at + _DISK_LOOK_SECONDS:
            return
        was_full, self._disk_looked_at, self._disk_is_full = self._disk_is_full, now, is_full(self.console.folder)
        if self._disk_is_full and not was_full:
            self.console.write("portal", "the disk is full: parts of the site will fail until there is room")
        if was_full and not self._disk_is_full:
            self.console.write("portal", "the disk has room again")
            for child in self._children.values():
                child.delay = _FIRST_DELAY_SECONDS
                child.restart_at = None if child.restart_at is None else now

    def _try_to_launch(self, child: _Child) -> None:
        """Launch the child, or else again later: the machine may be short of memory, processes or disk."""
        try:
            self._launch(child)
        except OSError as error:
            self._launch_later(child, f"could not be started: {error.strerror}")

    def _launch_later(self, child: _Child, why: str) -> None:
        self.console.write(child.process.name, f"{why}; starting again in {child.delay:.0f} s")
        child.restart_at = time.monotonic() + child.delay
        child.delay = min(child.delay * 2, _LONGEST_DELAY_SECONDS)

    def _launch(self, child: _Child) -> None:
        process = child.process
        heartbeat = {}
        if process.heartbeat is not None:
            process.heartbeat.touch()
            heartbeat = {"HEARTBEAT_FILE": str(process.heartbeat)}
        child.restart_at = None
        child.started_at = time.monotonic()
        child.popen = spawn(
            process.argv,
            log=subprocess.PIPE,
            death_signal=process.stop_signal,
            env=os.environ | dict(process.env) | heartbeat,
            cwd=process.cwd,
        )
        child.reader = threading.Thread(target=self._copy_output, args=(process.name, child.popen), daemon=True)
        child.reader.start()

    def _look_after(self, child: _Child) -> None:
        now = time.monotonic()
        if child.restart_at is not None:
            if now >= child.restart_at:
                child.restarts += 1
                self._try_to_launch(child)
            return
        if child.popen is None:
            return
        status = child.popen.poll()
        if status is None:
            if _is_hung(child.process):
                self.console.write(child.process.name, "gives no sign of life; killed")
                _kill_group(child)
            return
        _kill_group(child)
        if now - child.started_at > _STEADY_SECONDS:
            child.delay = _FIRST_DELAY_SECONDS
        self._launch_later(child, f"ended with status {status}")

    def _end(self, child: _Child) -> None:
        if child.popen is None:
            return
        stop(child.popen, [(child.process.stop_signal, child.process.stop_seconds)])
        _kill_group(child)
        if child.reader is not None:
            child.reader.join(_KILL_WAIT_SECONDS)

    def _copy_output(self, name: str, popen: subprocess.Popen[bytes]) -> None:
        if popen.stdout is None:
            return
        with popen.stdout as output:
            for line in output:
                self.console.write(name, line.decode(errors="replace").rstrip())

    def _is_ready(self, process: Process) -> bool:
        if self.pid(process.name) is None:
            return False
        if process.health_url is None:
            return True
        try:
            with urllib.request.urlopen(process.health_url, timeout=2) as answer:  # noqa: S310 - our own http address
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False


def _is_hung(process: Process) -> bool:
    if process.heartbeat is None:
        return False
    try:
        return time.time() - process.heartbeat.stat().st_mtime > process.heartbeat_seconds
    except FileNotFoundError:
        return False


def _kill_group(child: _Child) -> None:
    """Kill whatever is left in the child's session: it was started as a group leader."""
    if child.popen is not None:
        try:
            os.killpg(child.popen.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            return
