"""Uploads whose preview waits, and the real web server as a process, for what only it does."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from rest_framework.test import APIClient

from corpora.models import Upload
from portal.embedded.process import free_port
from tenants.keys.services import create_api_key
from tenants.models import Tenant
from tenants.scope import tenant_scope
from tests.corpora.uploads.uploading import TUS, metadata, whole

ROOT = Path(__file__).resolve().parents[3]
MOST_FORM_BYTES = 8 << 20


@dataclass
class Server:
    """The web server as one process, and a client with a key."""

    process: subprocess.Popen[bytes]
    client: httpx.Client
    temporary: Path

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
def waiting(api: APIClient, run_jobs: Callable[..., None], in_tenant: Tenant) -> Callable[..., Upload]:
    """Uploads a file and looks at it."""

    def make(content: bytes, **said: Any) -> Upload:
        whole(api, content, **said)
        run_jobs()
        return Upload.objects.latest("created_at")

    return make


@pytest.fixture
def server(transactional_db: None, tenant: Tenant, upload_folder: Path, tmp_path: Path) -> Iterator[Server]:
    with tenant_scope(tenant.id):
        token = create_api_key(tenant=tenant, name="test")[1]
    port = free_port()
    command = [sys.executable, "-m", "portal.web", "--port", str(port), "--workers", "1"]
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    environment = os.environ | {
        "UPLOAD_DIR": str(upload_folder),
        "UPLOAD_IDLE_SECONDS": "1",
        "MAX_FORM_BYTES": str(MOST_FORM_BYTES),
        "TMPDIR": str(temporary),
    }
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.DEVNULL)
    headers = {"Authorization": f"Bearer {token}"}
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", headers=headers, timeout=60) as client:
        deadline = time.monotonic() + 60
        while not _answers(client):
            assert time.monotonic() < deadline, "the server did not start"
            time.sleep(0.1)
        yield Server(process, client, temporary)
    process.terminate()
    process.wait(30)


def _answers(client: httpx.Client) -> bool:
    try:
        return client.get("/api/v1/uploads/").status_code == 200
    except httpx.TransportError:
        return False
