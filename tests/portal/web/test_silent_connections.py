"""The web server as the site runs it: who connects and says nothing holds up nobody, least of all health checks."""

import contextlib
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from portal.embedded.process import free_port
from tests.portal.web.serving import answer, connect

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

ROOT = Path(__file__).resolve().parents[3]
PROMPT_SECONDS = 3.0
SILENT = 64
HEAD = b"GET / HTTP/1.1\r\nhost: 127.0.0.1\r\n"
BODY = b"POST /sign-in/ HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: 100\r\n\r\nx"


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    port = free_port()
    server = subprocess.Popen([sys.executable, "-m", "portal.web", "--port", str(port)], cwd=ROOT)
    url = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + 60
        while not _answers(url):
            assert time.monotonic() < deadline
            time.sleep(0.1)
        yield url
    finally:
        server.terminate()
        server.wait(30)


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/sign-in/").status_code == 200
    except httpx.TransportError:
        return False


@pytest.mark.parametrize("sent", [b"", HEAD, BODY], ids=["nothing", "head", "body"])
def test_silent_connections_hold_up_nobody(db: None, url: str, sent: bytes) -> None:
    port = httpx.URL(url).port
    assert port is not None
    with contextlib.ExitStack() as silent:
        connections = [silent.enter_context(connect(port, sent)) for _ in range(SILENT)]
        for path in ("/health/", "/sign-in/", "/static/portal/portal.css", "/api/v1/schema/"):
            assert httpx.get(f"{url}{path}", timeout=PROMPT_SECONDS * 5).status_code == 200, path
        assert all(answer(connection).startswith(b"HTTP/1.1 408") for connection in connections)
