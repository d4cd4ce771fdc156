"""The whole site as a person runs it, `manage.py up`, with its own database, used from outside only."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from portal.demo.client import PortalClient
from portal.embedded.process import free_port
from portal.embedded.runtime import URL_NAMES

ROOT = Path(__file__).resolve().parents[2]
PASSWORD = "site test password"
READY_SECONDS = 240.0
# A site of its own; collected static files are those of the checkout, which it keeps up to date.
NOT_OURS = {*URL_NAMES, "SECRET_KEY", "STATIC_ROOT", "DJANGO_SETTINGS_MODULE"}


@dataclass
class RunningSite:
    """Addresses, keys by tenant's slug, and the processes behind them."""

    process: subprocess.Popen[str]
    web_url: str
    gateway_url: str
    var: Path
    env: dict[str, str]
    keys: dict[str, str] = field(default_factory=dict)

    def client(self, slug: str) -> PortalClient:
        """REST with the tenant's key."""
        return PortalClient(self.web_url, self.keys[slug])

    def pids(self, *words: str) -> list[int]:
        """Processes of this site whose command line has all `words`."""
        found = []
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                ours = str(self.var).encode() in (folder / "environ").read_bytes() or str(self.var) in command
            except OSError:
                continue
            if ours and all(word in command for word in words):
                found.append(int(folder.name))
        return found


@contextmanager
def running_site(var: Path, *, disk_bytes: int | None = None) -> Iterator[RunningSite]:
    """The site on the data under `var`, from ready to stopped; a killed one is left as it is.

    With `disk_bytes`, which takes root, `var` is a disk of that size, in memory, that only the site's processes see.
    """
    env = {k: v for k, v in os.environ.items() if k not in NOT_OURS}
    env |= {"PORTAL_VAR": str(var), "DEMO_PASSWORD": PASSWORD}
    ports = [arg for name in ("--port", "--gateway-port", "--engine-port") for arg in (name, str(free_port()))]
    process = subprocess.Popen(
        [*_on_a_disk(var, disk_bytes), sys.executable, "manage.py", "up", *ports],
        cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    try:
        web, gateway = _wait_until_ready(process)
        inside = ["nsenter", "--mount", f"--target={process.pid}", f"--wdns={ROOT}"] if disk_bytes else []
        seeded = subprocess.run(
            [*inside, sys.executable, "manage.py", "demo_seed"],
            cwd=ROOT,
            env=env,
            capture_output=True,
            text=True,
            check=True,
        )
        keys = {access["slug"]: access["api_key"] for access in json.loads(seeded.stdout)}
        yield RunningSite(process, web, gateway, var, env, keys)
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(60)


def _on_a_disk(var: Path, size: int | None) -> list[str]:
    if size is None:
        return []
    mount = 'mount -t tmpfs -o "size=$1,mode=755" tmpfs "$2" && shift 2 && exec "$@"'
    return ["unshare", "--mount", "sh", "-c", mount, "sh", str(size), str(var)]


@pytest.fixture(scope="session")
def site_folder() -> Iterator[Path]:
    """A folder for a site's data; PostgreSQL, which is not root, must be able to enter it."""
    folder = Path(tempfile.mkdtemp(prefix="adapter-portal-site-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def site(site_folder: Path) -> Iterator[RunningSite]:
    with running_site(site_folder / "shared") as site:
        yield site


def _wait_until_ready(process: subprocess.Popen[str]) -> tuple[str, str]:
    """(web address, gateway address), read from what the command prints."""
    assert process.stdout is not None
    too_late = threading.Timer(READY_SECONDS, process.kill)
    too_late.start()
    said: list[str] = []
    for line in process.stdout:
        said.append(line)
        if "ready: " in line:
            too_late.cancel()
            # Somebody must go on reading, or the site would stop at a full pipe.
            threading.Thread(target=process.stdout.read, daemon=True).start()
            words = line.split("ready: ")[1].split()
            return words[0], words[2].rstrip(")").removesuffix("/v1")
    raise AssertionError("the site did not start:\n" + "".join(said[-40:]))
