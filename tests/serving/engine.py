"""A real `python -m lorakit.serve` child on a free port."""

import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx

KEY = "engine-key-of-the-tests"
START_SECONDS = 90


class Engine:
    """Start, stop and start again on the same port."""

    def __init__(self, base: Path, log: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self.url = f"http://127.0.0.1:{self.port}"
        self._base = base
        self._log = log
        self._child: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Returns once it answers."""
        command = [sys.executable, "-m", "lorakit.serve", "--base", str(self._base), "--port", str(self.port)]
        with self._log.open("ab") as log:
            self._child = subprocess.Popen(
                [*command, "--die-with-parent"], stdout=log, stderr=log, env=os.environ | {"ENGINE_API_KEY": KEY}
            )
        deadline = time.monotonic() + START_SECONDS
        while not self._answers():
            assert self._child.poll() is None, self._log.read_text()
            assert time.monotonic() < deadline, "the engine did not start in time"
            time.sleep(0.2)

    @property
    def pid(self) -> int:
        """Of the running child."""
        assert self._child is not None
        return self._child.pid

    def stop(self) -> None:
        if self._child is not None:
            self._child.terminate()
            self._child.wait(timeout=60)

    def _answers(self) -> bool:
        try:
            return httpx.get(f"{self.url}/health", trust_env=False).is_success
        except httpx.HTTPError:
            return False
