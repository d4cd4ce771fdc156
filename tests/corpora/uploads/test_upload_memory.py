"""The real web server receives a large file in bounded memory, and closes silent connections."""

import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from corpora.models import Upload
from portal.embedded.process import free_port
from tenants.keys.services import create_api_key
from tenants.models import Tenant
from tenants.scope import tenant_scope
from tests.corpora.uploads.uploading import BYTES, TUS, metadata, stored

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[3]
MIB = 1 << 20
SIZE = 50 * MIB
MOST_GROWTH_KIB = 12 << 10


@dataclass
class Server:
    """The web server as one process, and a client with a key."""

    process: subprocess.Popen[bytes]
    client: httpx.Client

    def peak_kib(self) -> int:
        """The peak memory of the process, in KiB."""
        found = re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{self.process.pid}/status").read_text())
        assert found is not None
        return int(found[1])

    def begin(self, size: int) -> str:
        headers = {**TUS, "Upload-Length": str(size), "Upload-Metadata": metadata({"filename": "rows.jsonl"})}
        answer = self.client.post("/api/v1/uploads/", headers=headers)
        assert answer.status_code == 201, answer.text
        return urlsplit(answer.headers["Location"]).path


@pytest.fixture
def server(transactional_db: None, tenant: Tenant, upload_folder: Path) -> Iterator[Server]:
    with tenant_scope(tenant.id):
        token = create_api_key(tenant=tenant, name="test")[1]
    port = free_port()
    command = [sys.executable, "-m", "portal.web", "--port", str(port), "--workers", "1"]
    environment = os.environ | {"UPLOAD_DIR": str(upload_folder), "UPLOAD_IDLE_SECONDS": "1"}
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.DEVNULL)
    headers = {"Authorization": f"Bearer {token}"}
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", headers=headers, timeout=60) as client:
        deadline = time.monotonic() + 60
        while not _answers(client):
            assert time.monotonic() < deadline, "the server did not start"
            time.sleep(0.1)
        yield Server(process, client)
    process.terminate()
    process.wait(30)


def _answers(client: httpx.Client) -> bool:
    try:
        return client.get("/api/v1/uploads/").status_code == 200
    except httpx.TransportError:
        return False


def test_a_large_file_passes_through_little_memory(server: Server, tenant: Tenant) -> None:
    block = os.urandom(MIB)
    headers = {**TUS, "Content-Type": BYTES, "Upload-Offset": "0"}
    small = server.begin(MIB)
    assert server.client.patch(small, content=block, headers=headers).status_code == 204
    before = server.peak_kib()
    url = server.begin(SIZE)
    blocks = (block for _ in range(SIZE // MIB))
    answer = server.client.patch(url, content=blocks, headers={**headers, "Content-Length": str(SIZE)})
    assert answer.status_code == 204, answer.text
    assert server.peak_kib() - before < MOST_GROWTH_KIB
    with tenant_scope(tenant.id):
        assert stored(Upload.objects.get(bytes=SIZE)) == block * (SIZE // MIB)


def test_a_sender_that_falls_silent_is_given_up(server: Server) -> None:
    url = server.begin(1000)
    base = server.client.base_url
    with socket.create_connection((base.host, base.port)) as silent:
        head = (
            f"PATCH {url} HTTP/1.1\r\nHost: localhost\r\nAuthorization: {server.client.headers['Authorization']}\r\n"
            f"Tus-Resumable: 1.0.0\r\nContent-Type: {BYTES}\r\nUpload-Offset: 0\r\nContent-Length: 1000\r\n\r\n"
        )
        silent.sendall(head.encode() + b"x" * 400)
        silent.settimeout(30)
        assert b" 408 " in silent.recv(4096)
    received = int(server.client.head(url, headers=TUS).headers["Upload-Offset"])
    # The server passes data on in blocks, so the last incomplete block is lost.
    assert received <= 400
    headers = {**TUS, "Content-Type": BYTES, "Upload-Offset": str(received)}
    assert server.client.patch(url, content=b"x" * (1000 - received), headers=headers).status_code == 204
