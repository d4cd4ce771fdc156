"""`python -m serving.gateway` as the site starts it, in processes of their own."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from openai import OpenAI

from portal.embedded.process import free_port
from serving.gateway.listening import shared_socket
from serving.models import Endpoint
from tenants.models import Tenant
from tests.serving.gateway.gateway_client import new_line

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[3]


@contextmanager
def running(folder: Path, *options: str) -> Iterator[subprocess.Popen[bytes]]:
    """A gateway that is killed at the end, if it still runs; its ledger and log are in `folder`."""
    folder.mkdir()
    with (folder / "log.txt").open("wb") as log:
        child = subprocess.Popen(
            [sys.executable, "-m", "serving.gateway", *options],
            cwd=ROOT, env=os.environ | {"LEDGER_DIR": str(folder / "ledger")}, stdout=log, stderr=log,
        )  # fmt: skip
    try:
        yield child
    finally:
        child.kill()
        child.wait(timeout=60)


def wait_until_it_listens(child: subprocess.Popen[bytes], port: int, folder: Path) -> None:
    deadline = time.monotonic() + 90
    while not _listens(child.pid, port):
        assert child.poll() is None, (folder / "log.txt").read_text()
        assert time.monotonic() < deadline, "the gateway did not start in time"
        time.sleep(0.1)


@pytest.mark.django_db(transaction=True)
def test_it_starts_and_knows_the_database(tenant: Tenant, endpoint: Endpoint, tmp_path: Path) -> None:
    port, folder = free_port(), tmp_path / "one"
    with running(folder, "--port", str(port)) as child:
        wait_until_it_listens(child, port, folder)
        client = OpenAI(base_url=f"http://127.0.0.1:{port}/v1", api_key=new_line(tenant).token, max_retries=0)
        assert [model.id for model in client.models.list()] == ["tiny-llama"]
        child.terminate()
        # uvicorn raises the signal again once it has shut down cleanly.
        assert child.wait(timeout=60) in (0, -15)


@pytest.mark.django_db(transaction=True)
def test_two_share_a_port_and_the_other_goes_on_when_one_is_killed(
    tenant: Tenant, endpoint: Endpoint, tmp_path: Path
) -> None:
    port, token = free_port(), new_line(tenant).token
    folders = [tmp_path / "one", tmp_path / "two"]
    options = ("--port", str(port), "--share-port")

    def answered() -> list[bool]:
        """Ask in a new connection; which of them has written of it, or of an earlier one."""
        body = {"model": "nobody", "messages": []}
        headers = {"authorization": f"Bearer {token}"}
        url = f"http://127.0.0.1:{port}/v1/chat/completions"
        assert httpx.post(url, json=body, headers=headers, trust_env=False, timeout=30).status_code == 404
        return [any((folder / "ledger").glob("*.jsonl")) for folder in folders]

    with running(folders[0], *options) as first, running(folders[1], *options) as second:
        wait_until_it_listens(first, port, folders[0])
        wait_until_it_listens(second, port, folders[1])
        assert any(all(answered()) for _ in range(200)), "connections are not divided"
        first.kill()
        first.wait(timeout=60)
        for _ in range(20):
            answered()


def test_a_port_is_shared_only_by_those_that_all_want_it() -> None:
    port = free_port()
    with shared_socket("127.0.0.1", port) as one, shared_socket("127.0.0.1", port) as other, socket.socket() as third:
        assert one.getsockname() == other.getsockname()
        one.listen()
        with pytest.raises(OSError, match="in use"):
            third.bind(("127.0.0.1", port))
    with socket.socket() as alone:
        alone.bind(("127.0.0.1", port))
        alone.listen()
        with pytest.raises(OSError, match="in use"):
            shared_socket("127.0.0.1", port)


def _listens(pid: int, port: int) -> bool:
    """Whether this very process listens at the port, which others may do too."""
    inodes = {
        fields[9]
        for fields in map(str.split, Path("/proc/net/tcp").read_text().splitlines()[1:])
        if fields[3] == "0A" and int(fields[1].rpartition(":")[2], 16) == port
    }
    try:
        held = {str(link.readlink()) for link in Path(f"/proc/{pid}/fd").iterdir()}
    except OSError:
        return False
    return any(f"socket:[{inode}]" in held for inode in inodes)
