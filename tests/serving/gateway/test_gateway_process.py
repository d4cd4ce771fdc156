"""`python -m serving.gateway` as the site starts it, in a process of its own."""

import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest
from openai import OpenAI

from serving.models import Endpoint
from tenants.models import Tenant
from tests.serving.gateway.gateway_client import new_line

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.django_db(transaction=True)
def test_it_starts_and_knows_the_database(tenant: Tenant, endpoint: Endpoint, tmp_path: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "serving.gateway", "--port", str(port)]
    with (tmp_path / "log.txt").open("wb") as log:
        child = subprocess.Popen(command, cwd=ROOT, env=dict(os.environ), stdout=log, stderr=log)
    try:
        deadline = time.monotonic() + 60
        while not _answers(port):
            assert child.poll() is None, (tmp_path / "log.txt").read_text()
            assert time.monotonic() < deadline, "the gateway did not start in time"
            time.sleep(0.2)
        client = OpenAI(base_url=f"http://127.0.0.1:{port}/v1", api_key=new_line(tenant).token, max_retries=0)
        assert [model.id for model in client.models.list()] == ["tiny-llama"]
    finally:
        child.terminate()
        # uvicorn raises the signal again once it has shut down cleanly.
        assert child.wait(timeout=60) in (0, -15)


def _answers(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/health", trust_env=False).is_success
    except httpx.HTTPError:
        return False
