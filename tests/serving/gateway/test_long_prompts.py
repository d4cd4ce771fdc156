"""A prompt of millions of characters is refused by the gateway, and by the engine without growing."""

from pathlib import Path
from typing import Any

import httpx
import pytest

from lorakit.contracts import InvocationRecord
from serving.backends import endpoints
from serving.models import Endpoint
from tenants.models import Tenant
from tests.serving.conftest import user
from tests.serving.engine import KEY, Engine
from tests.serving.gateway.gateway_client import new_line
from tests.serving.memory_endpoint import MemoryEndpoint

pytestmark = pytest.mark.django_db(transaction=True)

LONG = "word " * 700_000
BODIES: list[tuple[str, dict[str, Any]]] = [
    ("completions", {"prompt": LONG}),
    ("chat/completions", {"messages": user(LONG)}),
    ("chat/completions", {"messages": user(LONG[: 2**18]) * 14}),
    ("chat/completions", {"messages": [{"role": "user", "content": [{"type": "text", "text": LONG}]}]}),
]


def test_the_gateway_refuses_it_by_its_size(
    gateway: str, tenant: Tenant, endpoint: Endpoint, memory: MemoryEndpoint, tmp_path: Path
) -> None:
    headers = {"authorization": f"Bearer {new_line(tenant).token}"}
    # Nothing is sent on: nobody listens there.
    assert endpoints["default"] is memory
    for path, body in BODIES:
        document = {"model": "tiny-llama", **body}
        answer = httpx.post(f"{gateway}/v1/{path}", json=document, headers=headers, timeout=60, trust_env=False)
        assert answer.status_code == 400
        assert answer.json()["error"]["code"] == "context_length_exceeded"
        assert "2048 tokens" in answer.json()["error"]["message"]
    [file] = (tmp_path / "ledger").iterdir()
    records = [InvocationRecord.from_json(line) for line in file.read_bytes().splitlines()]
    assert [record.error_code for record in records] == ["context_length_exceeded"] * len(BODIES)


def test_the_engine_does_not_grow_with_it(engine: Engine) -> None:
    before = peak_bytes(engine.pid)
    for path, body in BODIES:
        document = {"model": "tiny-llama", **body}
        headers = {"authorization": f"Bearer {KEY}"}
        answer = httpx.post(f"{engine.url}/v1/{path}", json=document, headers=headers, timeout=60, trust_env=False)
        assert answer.status_code == 400
        assert answer.json()["error"]["code"] == "context_length_exceeded"
    assert peak_bytes(engine.pid) - before < 64 * 2**20


def peak_bytes(pid: int) -> int:
    """The most memory that a process has had."""
    [line] = [line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmHWM:")]
    return int(line.split()[1]) * 1024
