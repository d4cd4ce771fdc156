"""`python -m lorakit.serve` as a process: it starts, answers, and dies with its parent when asked to."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

pytestmark = pytest.mark.slow

PARENT = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-m", "lorakit.serve", *sys.argv[1:]])
print(child.pid, flush=True)
time.sleep(600)
"""


def alive(pid: int) -> bool:
    """Whether a process runs (a zombie does not)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_the_server_dies_with_its_parent(base: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, "--base", str(base), "--port", str(port), "--die-with-parent"],
        cwd=Path(__file__).parents[3],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    try:
        deadline = time.monotonic() + 90
        while True:
            try:
                assert httpx.get(f"http://127.0.0.1:{port}/health").json()["base"] == "tiny-llama"
                break
            except httpx.TransportError:
                assert time.monotonic() < deadline
                time.sleep(0.2)
        parent.send_signal(signal.SIGKILL)
        parent.wait()
        while alive(child):
            assert time.monotonic() < deadline
            time.sleep(0.05)
    finally:
        parent.kill()
        if alive(child):
            os.kill(child, signal.SIGKILL)
