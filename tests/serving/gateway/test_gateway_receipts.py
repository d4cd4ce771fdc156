"""An answer's receipt, as programs with the `openai` client ask for it, keep it and check it."""

import asyncio
import contextlib
import json
import os
import subprocess
import sys
from collections.abc import AsyncGenerator, Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import openai
import pytest
from starlette.types import Message

from adapters.models import AdapterVersion
from lorakit.verify.signing import public_text
from serving.backends.vllm import VllmEndpoint
from serving.gateway.body import Ask
from serving.gateway.database import Caller, Model
from serving.gateway.errors import GatewayError
from serving.gateway.receipts import ReceiptWriter
from serving.gateway.record import Tally
from serving.gateway.relay import RelayedStream
from serving.models import Endpoint
from tenants.models import Tenant
from tenants.scope import tenant_scope
from tenants.signing import signing_key
from tests.serving.conftest import user
from tests.serving.gateway.gateway_client import PROMPT, TOKENS, Line, new_line, put_live
from tests.serving.memory_endpoint import MemoryEndpoint

pytestmark = pytest.mark.django_db(transaction=True)
CHAT: dict[str, Any] = {"model": "legal", "messages": user(PROMPT), "max_tokens": TOKENS, "temperature": 0.0}
ASKED = {"X-Receipt": "1"}


@pytest.fixture
def line(
    tenant: Tenant, gateway: str, vllm: VllmEndpoint, endpoint: Endpoint, make_version: Callable[..., AdapterVersion]
) -> Line:
    line = new_line(tenant)
    put_live(line, vllm, endpoint, make_version(tenant, "legal", 1))
    return line


def verify(folder: Path, receipt: Any, request: Any, answer: Any) -> subprocess.CompletedProcess[str]:
    """Check with what a program has kept, in a process that has neither the site's settings nor its database."""
    options = [str(folder / "receipt.json"), "--key", public_text(signing_key())]
    (folder / "receipt.json").write_text(json.dumps(receipt))
    for name, content in (("request", request), ("answer", answer)):
        (folder / f"{name}.json").write_text(json.dumps(content))
        options += [f"--{name}", str(folder / f"{name}.json")]
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(Path(__file__).parents[3])}
    return subprocess.run(
        [sys.executable, "-m", "lorakit.verify", *options],
        capture_output=True, text=True, env=environment, cwd=folder, check=False,
    )  # fmt: skip


def test_a_whole_answer_has_its_receipt(gateway: str, line: Line, tmp_path: Path) -> None:
    raw = line.client(gateway).chat.completions.with_raw_response.create(**CHAT, extra_headers=ASKED)
    answer = raw.parse()
    receipt: Any = answer.receipt
    with tenant_scope(line.tenant.id):
        version = AdapterVersion.objects.get()
    assert receipt["request_id"] == raw.headers["x-request-id"]
    assert receipt["tenant_id"] == str(line.tenant.id)
    assert (receipt["model"], receipt["version_id"], receipt["version_number"]) == ("legal", str(version.id), 1)
    assert receipt["package_sha256"] == version.package_sha256 == raw.headers["x-adapter-sha256"]
    assert receipt["base_model"] is None
    checked = verify(tmp_path, receipt, CHAT, answer.model_dump())
    assert (checked.returncode, checked.stderr) == (0, ""), checked.stdout
    other = verify(tmp_path, receipt, {**CHAT, "temperature": 1}, answer.model_dump())
    assert other.returncode == 1
    assert PROMPT not in json.dumps(receipt)
    assert all(PROMPT.encode() not in file.read_bytes() for file in (tmp_path / "ledger").iterdir())


def test_a_streams_receipt_is_its_last_event(gateway: str, line: Line, tmp_path: Path) -> None:
    chunks = list(line.client(gateway).chat.completions.create(**CHAT, stream=True, extra_headers=ASKED))
    assert [hasattr(chunk, "receipt") for chunk in chunks] == [False] * (len(chunks) - 1) + [True]
    assert chunks[-1].choices == []
    assert (chunks[-1].id, chunks[-1].model) == (chunks[0].id, "legal")
    receipt: Any = chunks[-1].receipt
    checked = verify(tmp_path, receipt, CHAT, [chunk.model_dump() for chunk in chunks])
    assert (checked.returncode, checked.stderr) == (0, ""), checked.stdout
    whole: Any = line.client(gateway).chat.completions.create(**CHAT, extra_headers=ASKED)
    assert whole.receipt["answer_sha256"] == receipt["answer_sha256"]
    assert whole.receipt["request_sha256"] == receipt["request_sha256"]


def test_the_base_models_receipt_names_it(gateway: str, line: Line, tmp_path: Path) -> None:
    asked: dict[str, Any] = {"model": "tiny-llama", "prompt": "Total: 42", "max_tokens": 4}
    answer: Any = line.client(gateway).completions.create(**asked, extra_headers={"x-receipt": "true"})
    receipt = answer.receipt
    assert (receipt["base_model"], receipt["version_id"], receipt["package_sha256"]) == ("tiny-llama", None, None)
    checked = verify(tmp_path, receipt, asked, answer.model_dump())
    assert checked.returncode == 0, checked.stdout


@pytest.mark.parametrize("header", [{}, {"X-Receipt": "0"}, {"X-Receipt": ""}])
def test_who_does_not_ask_gets_none(gateway: str, line: Line, header: dict[str, str]) -> None:
    chats = line.client(gateway).chat.completions
    assert "receipt" not in chats.with_raw_response.create(**CHAT, extra_headers=header).text
    chunks = list(chats.create(**CHAT, stream=True, extra_headers=header))
    assert not any(hasattr(chunk, "receipt") for chunk in chunks)
    assert chunks[-1].choices


def test_a_value_that_is_neither_yes_nor_no_is_refused(gateway: str, line: Line) -> None:
    with pytest.raises(openai.BadRequestError, match="`X-Receipt` must be 1 or 0") as refused:
        line.client(gateway).chat.completions.create(**CHAT, extra_headers={"X-Receipt": "please"})
    assert refused.value.param == "x-receipt"


@pytest.mark.parametrize("stream", [False, True])
def test_no_receipt_for_another_package_than_the_endpoint_names(gateway: str, line: Line, stream: bool) -> None:
    with tenant_scope(line.tenant.id):
        AdapterVersion.objects.update(package_sha256="ab" * 32)
    chats = line.client(gateway).chat.completions
    with pytest.raises(openai.InternalServerError, match="no receipt can be given"):
        chats.create(**CHAT, stream=stream, extra_headers=ASKED)


@pytest.mark.parametrize(
    ("fault", "has_receipt"), [(None, True), (GatewayError(502, "Broken.", "stream_broken"), False)]
)
def test_a_stream_that_breaks_off_has_no_receipt(fault: GatewayError | None, has_receipt: bool) -> None:
    tally = Tally(caller=Caller(tenant_id=uuid4(), key_id=uuid4()))
    model = Model(alias="legal", backend=MemoryEndpoint(), name="deployment", context=64)
    ask = Ask(model="legal", document=CHAT, streamed=True, wants_usage=False, wants_usage_always=False)
    sent: list[bytes] = []

    async def events() -> AsyncGenerator[bytes]:
        yield b"data: {}\n\n"
        if fault is not None:
            raise fault

    async def receive() -> Message:
        return await asyncio.Future()

    async def send(message: Message) -> None:
        sent.append(message.get("body", b""))

    async def settle() -> None:
        sent.append(b"settled")

    async def answer() -> None:
        receipt = ReceiptWriter(ask, tally, model, told=None)
        resources = contextlib.AsyncExitStack()
        stream = RelayedStream(events(), tally=tally, settle=settle, resources=resources, headers={}, receipt=receipt)
        await stream({"type": "http"}, receive, send)

    asyncio.run(answer())
    assert sent[2] == b"settled"
    assert (b'"receipt"' in sent[3]) is has_receipt
    assert sent[3].endswith(b"data: [DONE]\n\n")
