"""A Celery worker with its beat, as the site runs them, on the test's own database."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from portal.embedded.process import spawn

ROOT = Path(__file__).resolve().parents[2]


class Worker:
    """`include` are modules that register kinds; `env` changes the environment, as for another broker."""

    def __init__(self, folder: Path, *include: str, **env: str) -> None:
        self.folder = folder
        self.include = include
        self.env = os.environ | env
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def ended(self) -> bool:
        """Whether it is not there, because it was never started or gave up."""
        return self._process is None or self._process.poll() is not None

    def start(self) -> None:
        """Start it; as with the supervisor, nobody waits until it is ready."""
        argv = [
            sys.executable, "-m", "celery", "-A", "portal", "worker", "--beat", "--concurrency", "2",
            "--schedule", str(self.folder / "beat"), "--include", ",".join(self.include),
            "--without-mingle", "--without-gossip",
        ]  # fmt: skip
        with (self.folder / "worker.log").open("ab") as log:
            self._process = spawn(argv, log=log.fileno(), death_signal=signal.SIGKILL, env=self.env, cwd=ROOT)

    def kill(self) -> None:
        """kill -9 of the worker and its pool, not of the runs that they started."""
        if self._process is not None:
            if self._process.poll() is None:
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
