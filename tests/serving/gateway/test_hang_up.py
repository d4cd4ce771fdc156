"""A caller who hangs up pays for what was computed, and nothing more is computed."""

import asyncio
import contextlib
import http.client
import json
import threading
import time
from collections.abc import AsyncGenerator, Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import httpx
import pytest

from adapters.models import AdapterVersion
from lorakit.contracts import InvocationRecord
from serving.backends import endpoints
from serving.backends.vllm import VllmEndpoint
from serving.gateway.database import Caller
from serving.gateway.record import Tally
from serving.gateway.relay import RelayedStream
from serving.models import Endpoint
from tenants.models import Tenant
from tests.serving.conftest import user
from tests.serving.gateway.gateway_client import PROMPT, Line, new_line, put_live


@pytest.fixture
def line(
    tenant: Tenant, gateway: str, vllm: VllmEndpoint, endpoint: Endpoint, make_version: Callable[..., AdapterVersion]
) -> Line:
    line = new_line(tenant)
    put_live(line, vllm, endpoint, make_version(tenant, "legal", 1))
    return line


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("read", "most"), [(199, 200), (20, 1500)])
def test_a_caller_who_hangs_up_is_counted(gateway: str, line: Line, tmp_path: Path, read: int, most: int) -> None:
    body = {"model": "legal", "max_tokens": most, "temperature": 0, "stream": True, "messages": user(PROMPT)}
    headers = {"authorization": f"Bearer {line.token}"}
    url = f"{gateway}/v1/chat/completions"
    events = 0
    with httpx.Client(trust_env=False) as client, client.stream("POST", url, json=body, headers=headers) as answer:
        for text in answer.iter_lines():
            events += text.startswith("data:")
            assert '"usage"' not in text
            if events == read:
                break
    record = wait_for_record(tmp_path / "ledger")
    # The last token may have come before the hang-up was noticed.
    assert (record.status, record.completion_tokens) == (200, most) or record.error_code == "client_closed"
    # The first event of a chat holds no token.
    assert read - 1 <= record.completion_tokens <= most
    assert record.prompt_tokens > 0
    assert 0 < record.busy_ms <= record.latency_ms


@pytest.mark.django_db(transaction=True)
def test_an_answer_in_one_piece_is_given_up_and_counted(
    gateway: str, line: Line, vllm: VllmEndpoint, tmp_path: Path
) -> None:
    with hanging_up(gateway, line):
        wait_until(lambda: running(vllm) == 1)
    record = wait_for_record(tmp_path / "ledger")
    assert (record.status, record.error_code, record.streamed) == (499, "client_closed", False)
    assert 0 < record.completion_tokens < MOST
    assert record.prompt_tokens > 0
    assert 0 < record.busy_ms <= record.latency_ms
    wait_until(lambda: running(vllm) == 0)


@pytest.mark.django_db(transaction=True)
def test_an_endpoint_that_cannot_say_what_it_computed_was_busy_all_the_time(
    gateway: str, line: Line, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, ended = threading.Event(), threading.Event()

    class Silent(BaseHTTPRequestHandler):
        """As vLLM: it stops when its connection closes, and has no call to cancel a request."""

        def do_POST(self) -> None:
            if self.path.endswith("/cancel"):
                self.send_error(404)
                return
            self.rfile.read(int(self.headers["content-length"]))
            asked.set()
            assert self.rfile.read(1) == b""
            ended.set()

    with ThreadingHTTPServer(("127.0.0.1", 0), Silent) as server:
        threading.Thread(target=server.serve_forever).start()
        away = VllmEndpoint("default", {"URL": f"http://127.0.0.1:{server.server_port}", "ADAPTER_DIR": tmp_path})
        monkeypatch.setitem(endpoints.built, "default", away)
        with hanging_up(gateway, line):
            assert asked.wait(60)
        assert ended.wait(60)
        record = wait_for_record(tmp_path / "ledger")
        server.shutdown()
    assert (record.status, record.completion_tokens) == (499, 0)
    assert 0 < record.busy_ms <= record.latency_ms


MOST = 1500


@contextlib.contextmanager
def hanging_up(gateway: str, line: Line) -> Iterator[None]:
    """A caller who asks for a long answer in one piece, and is gone at the end of the block."""
    body = json.dumps({"model": "legal", "max_tokens": MOST, "temperature": 0, "messages": user(PROMPT)})
    address = urlsplit(gateway)
    caller = http.client.HTTPConnection(address.hostname or "", address.port)
    with contextlib.closing(caller):
        caller.request("POST", "/v1/chat/completions", body, {"authorization": f"Bearer {line.token}"})
        yield


def running(vllm: VllmEndpoint) -> int:
    count: int = httpx.get(f"{vllm.servers[0].url}/health", trust_env=False).json()["running"]
    return count


def wait_until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def wait_for_record(folder: Path) -> InvocationRecord:
    deadline = time.monotonic() + 60
    while not (lines := [line for file in folder.glob("*.jsonl") for line in file.read_bytes().splitlines()]):
        assert time.monotonic() < deadline, "the request was not recorded"
        time.sleep(0.05)
    [line] = lines
    return InvocationRecord.from_json(line)


def test_a_caller_who_hangs_up_while_nothing_comes_ends_the_work() -> None:
    closed = asyncio.Event()
    settled: list[int] = []
    tally = Tally(caller=Caller(tenant_id=uuid4(), key_id=uuid4()))

    async def silent() -> AsyncGenerator[bytes]:
        try:
            yield b"data: {}\n\n"
            await asyncio.Event().wait()
        finally:
            closed.set()

    async def settle() -> None:
        settled.append(tally.status)

    async def run() -> None:
        sent = asyncio.Event()

        async def receive() -> dict[str, str]:
            await sent.wait()
            return {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            if message.get("body"):
                sent.set()

        resources = contextlib.AsyncExitStack()
        stream = RelayedStream(silent(), tally=tally, settle=settle, resources=resources, headers={})
        await asyncio.wait_for(stream({"type": "http"}, receive, send), timeout=30)

    asyncio.run(run())
    assert closed.is_set()
    assert settled == [499]
