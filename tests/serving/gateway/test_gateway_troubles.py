"""When key, engine, caller or disk fail in the middle."""

import errno
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest
from django.db import OperationalError

from adapters.models import AdapterVersion
from lorakit.contracts import InvocationRecord
from serving.backends import endpoints
from serving.backends.vllm import VllmEndpoint
from serving.gateway import waiting
from serving.gateway.ledger import Ledger
from serving.models import Endpoint
from tenants.keys.services import revoke_api_key
from tenants.models import Tenant
from tenants.scope import tenant_scope
from tests.serving.conftest import user
from tests.serving.gateway.gateway_client import PROMPT, Line, new_line, put_live

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def line(
    tenant: Tenant, gateway: str, vllm: VllmEndpoint, endpoint: Endpoint, make_version: Callable[..., AdapterVersion]
) -> Line:
    line = new_line(tenant)
    put_live(line, vllm, endpoint, make_version(tenant, "legal", 1))
    return line


def records(tmp_path: Path) -> Iterator[InvocationRecord]:
    for file in (tmp_path / "ledger").glob("*.jsonl"):
        yield from map(InvocationRecord.from_json, file.read_bytes().splitlines())


def chat(line: Line, gateway: str, **options: Any) -> Any:
    return line.client(gateway).chat.completions.create(model="legal", messages=user(PROMPT), max_tokens=4, **options)


def test_a_revoked_key_is_refused_within_five_seconds(gateway: str, line: Line) -> None:
    chat(line, gateway)
    with tenant_scope(line.tenant.id):
        revoke_api_key(key_id=line.key.id)
    time.sleep(5)
    assert not _is_answered(line, gateway)


def _is_answered(line: Line, gateway: str) -> bool:
    try:
        chat(line, gateway)
    except openai.AuthenticationError:
        return False
    return True


@pytest.mark.parametrize("stream", [True, False])
def test_an_engine_that_lost_the_adapter_means_wait(
    gateway: str, line: Line, vllm: VllmEndpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stream: bool
) -> None:
    monkeypatch.setattr(waiting, "HELD_SECONDS", 0.3)
    for name in vllm.list():
        vllm.delete(name)
    with pytest.raises(openai.InternalServerError) as refused:
        chat(line, gateway, stream=stream)
    assert refused.value.status_code == 503
    assert refused.value.response.headers["retry-after"] == "5"
    assert refused.value.code == "endpoint_unavailable"
    [record] = records(tmp_path)
    assert (record.status, record.busy_ms, record.alias) == (503, 0, "legal")


def test_an_engine_that_is_away_means_wait(
    gateway: str, line: Line, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "HELD_SECONDS", 0.3)
    away = VllmEndpoint("default", {"URL": "http://127.0.0.1:9", "ADAPTER_DIR": tmp_path})
    monkeypatch.setitem(endpoints.built, "default", away)
    with pytest.raises(openai.InternalServerError) as refused:
        chat(line, gateway)
    assert refused.value.status_code == 503
    assert "127.0.0.1" not in str(refused.value)


def test_a_database_that_is_away_means_wait(gateway: str, line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(tenant_id: object) -> None:
        raise OperationalError("secret host refused")

    monkeypatch.setattr("serving.gateway.database.find_models", away)
    with pytest.raises(openai.InternalServerError) as refused:
        chat(line, gateway)
    assert (refused.value.status_code, refused.value.code) == (503, "database_unavailable")
    assert "secret" not in str(refused.value)


def test_an_unforeseen_error_tells_nothing_of_itself(
    gateway: str, line: Line, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*args: object) -> None:
        raise ZeroDivisionError("secret")

    monkeypatch.setattr("serving.gateway.server.answering", broken)
    with pytest.raises(openai.InternalServerError) as refused:
        chat(line, gateway)
    assert refused.value.code == "internal_error"
    assert "secret" not in str(refused.value)
    assert [record.status for record in records(tmp_path)] == [500]


def test_a_caller_who_goes_away_is_recorded(gateway: str, line: Line, tmp_path: Path) -> None:
    body = {"model": "legal", "messages": user(PROMPT), "max_tokens": 1500, "stream": True}
    headers = {"authorization": f"Bearer {line.token}"}
    url = f"{gateway}/v1/chat/completions"
    with httpx.Client(trust_env=False) as client, client.stream("POST", url, json=body, headers=headers) as answer:
        next(answer.iter_bytes())
    deadline = time.monotonic() + 60
    while not (found := list(records(tmp_path))):
        assert time.monotonic() < deadline, "the request was not recorded"
        time.sleep(0.1)
    [record] = found
    assert (record.status, record.error_code) == (499, "client_closed")
    assert record.completion_tokens < 1500


@pytest.mark.parametrize(
    ("number", "status", "code"), [(errno.ENOSPC, 507, "disk_full"), (errno.EIO, 503, "ledger_unavailable")]
)
def test_what_cannot_be_recorded_is_not_answered(
    gateway: str, line: Line, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, status: int, code: str
) -> None:
    def broken(self: Ledger, records: object) -> None:
        raise OSError(number, "secret device")

    with monkeypatch.context() as patched:
        patched.setattr(Ledger, "append_all", broken)
        with pytest.raises(openai.InternalServerError) as refused:
            chat(line, gateway)
        assert (refused.value.status_code, refused.value.code) == (status, code)
        assert not (tmp_path / "ledger").exists()
        with pytest.raises(openai.APIError) as told:
            list(chat(line, gateway, stream=True))
        assert told.value.code == code
        # The stream is owed, so nothing more is given until it is written.
        with pytest.raises(openai.InternalServerError) as refused:
            chat(line, gateway)
        assert refused.value.status_code == 507
    deadline = time.monotonic() + 60
    while not (found := list(records(tmp_path))):
        assert time.monotonic() < deadline, "the stream was not recorded"
        time.sleep(0.1)
    assert [(record.status, record.streamed) for record in found] == [(200, True)]
    chat(line, gateway)


def test_nothing_is_computed_while_the_disk_is_full(
    gateway: str, line: Line, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def asked(*_: object, **__: object) -> None:
        raise AssertionError

    with monkeypatch.context() as patched:
        patched.setattr("serving.gateway.ledger.is_full", lambda folder: True)
        patched.setattr("serving.gateway.server.forwarded", asked)
        for stream in (False, True):
            with pytest.raises(openai.InternalServerError) as refused:
                chat(line, gateway, stream=stream)
            assert (refused.value.status_code, refused.value.code) == (507, "disk_full")
    chat(line, gateway)
