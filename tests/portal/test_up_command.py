"""`manage.py up` runs the real site, once, and takes every process along when it ends, even killed."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from portal.embedded.process import free_port
from portal.embedded.runtime import URL_NAMES
from portal.supervisor.processes import ROOT

pytestmark = pytest.mark.slow


@pytest.fixture
def environment() -> Iterator[dict[str, str]]:
    """An embedded site of its own, in a folder that its database server may enter."""
    folder = Path(tempfile.mkdtemp(prefix="adapter-portal-up-"))
    folder.chmod(0o755)
    yield {name: value for name, value in os.environ.items() if name not in {*URL_NAMES, "STATIC_ROOT"}} | {
        "PORTAL_VAR": str(folder),
        "PYTHONUNBUFFERED": "1",
    }
    shutil.rmtree(folder)


def up(environment: dict[str, str]) -> subprocess.Popen[str]:
    ports = [f"--{name}={free_port()}" for name in ("port", "gateway-port", "engine-port")]
    return subprocess.Popen(
        [sys.executable, "manage.py", "up", *ports],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def read_until(process: subprocess.Popen[str], text: str) -> str:
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line)
        if text in line:
            return line
    pytest.fail(f"{text!r} was never said:\n{''.join(lines)}")


def descendants(pid: int) -> set[int]:
    """Every process below `pid`."""
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(stat.parent.name)] = int(stat.read_text().rsplit(")", 1)[1].split()[1])
        except (FileNotFoundError, ProcessLookupError):
            continue
    found, fresh = set[int](), {pid}
    while fresh:
        fresh = {child for child, parent in parents.items() if parent in fresh}
        found |= fresh
    return found


def living(pids: set[int]) -> set[int]:
    def lives(pid: int) -> bool:
        try:
            return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] not in "ZX"
        except (FileNotFoundError, ProcessLookupError):
            return False

    return {pid for pid in pids if lives(pid)}


def test_the_site_comes_up_once_and_dies_whole(environment: dict[str, str]) -> None:
    site = up(environment)
    try:
        ready = read_until(site, "ready: ")
        address = ready.split("ready: ")[1].split()[0]
        with urllib.request.urlopen(f"{address}/health/", timeout=60) as answer:
            assert answer.status == 200

        second = up(environment)
        said, _ = second.communicate(timeout=60)
        assert second.returncode != 0
        assert f"The site already runs at {address}." in said

        processes = descendants(site.pid)
        # database, broker, engine, web, gateway, worker, beat, each perhaps with processes of its own
        assert len(processes) >= 7
    finally:
        site.kill()
        site.communicate()
    deadline = time.monotonic() + 60
    while living(processes) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not living(processes)
