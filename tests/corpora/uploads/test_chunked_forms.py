"""A form that comes in chunks and says no length, through the real web server."""

import hashlib
import json
import socket
import time
from collections.abc import Iterator
from typing import Any

import pytest

from corpora.models import Dataset, DatasetVersion
from storage.objects import open_object
from tenants.models import Tenant
from tenants.scope import tenant_scope
from tests.corpora.uploads.conftest import MOST_FORM_BYTES, Server

pytestmark = pytest.mark.slow

DATASETS = "/api/v1/datasets/"
FORM = "multipart/form-data; boundary=edge"
LAST = b"\r\n--edge--\r\n"
MIB = 1 << 20
OPTIONS = {"columns": {"prompt": "query", "completion": "response"}}


def opening(name: str, **fields: str) -> bytes:
    parts = {"name": name, **fields}
    said = "".join(
        f'--edge\r\nContent-Disposition: form-data; name="{field}"\r\n\r\n{value}\r\n' for field, value in parts.items()
    )
    return (
        f'{said}--edge\r\nContent-Disposition: form-data; name="file"; filename="rows.jsonl"\r\n'
        "Content-Type: application/octet-stream\r\n\r\n"
    ).encode()


def post(server: Server, *parts: bytes) -> Any:
    def pieces() -> Iterator[bytes]:
        yield from parts

    # An iterator is sent in chunks.
    return server.client.post(DATASETS, content=pieces(), headers={"Content-Type": FORM})


@pytest.mark.parametrize("size", [100, MIB, 5 * MIB])
def test_a_form_in_chunks_is_received_whole(server: Server, tenant: Tenant, size: int) -> None:
    content = (b'{"query": "q", "response": "r"}\n' * (size // 32 + 1))[:size]
    pieces = [content[start : start + 50_000] for start in range(0, size, 50_000)]
    answer = post(server, opening("Chunked", options=json.dumps(OPTIONS)), *pieces, LAST)
    assert answer.status_code == 201, answer.text
    version = answer.json()["version"]
    assert version["options"]["columns"] == OPTIONS["columns"]
    assert (version["upload_bytes"], version["upload_sha256"]) == (size, hashlib.sha256(content).hexdigest())
    with tenant_scope(tenant.id), open_object(DatasetVersion.objects.get().upload_key) as file:
        assert file.read() == content
    assert list(server.temporary.iterdir()) == []


def test_a_form_in_chunks_above_the_limit_is_refused(server: Server, tenant: Tenant) -> None:
    block = b"x" * MIB
    answer = post(server, opening("Chunked"), *[block] * (MOST_FORM_BYTES // MIB), LAST)
    assert (answer.status_code, answer.json()["code"]) == (413, "request:too_large")
    assert answer.json()["limit_bytes"] == MOST_FORM_BYTES
    assert_nothing_is_left(server, tenant)


def test_a_form_without_its_end_is_refused(server: Server, tenant: Tenant) -> None:
    answer = post(server, opening("Chunked"), b"x" * 2 * MIB)
    assert (answer.status_code, answer.json()["code"]) == (400, "request:parse_error")
    assert_nothing_is_left(server, tenant)


def test_a_connection_that_breaks_off_leaves_nothing(server: Server, tenant: Tenant) -> None:
    base = server.client.base_url
    head = (
        f"POST {DATASETS} HTTP/1.1\r\nHost: localhost\r\nAuthorization: {server.client.headers['Authorization']}\r\n"
        f"Content-Type: {FORM}\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    sent = opening("Chunked") + b"x" * 3 * MIB
    with socket.create_connection((base.host, base.port)) as connection:
        connection.sendall(head.encode() + f"{len(sent):x}\r\n".encode() + sent + b"\r\n")
        deadline = time.monotonic() + 60
        while not list(server.temporary.iterdir()):
            assert time.monotonic() < deadline, "the server did not begin to read"
            time.sleep(0.01)
    assert_nothing_is_left(server, tenant)


def assert_nothing_is_left(server: Server, tenant: Tenant) -> None:
    deadline = time.monotonic() + 15
    while list(server.temporary.iterdir()):
        assert time.monotonic() < deadline, "a temporary file is left"
        time.sleep(0.01)
    with tenant_scope(tenant.id):
        assert not Dataset.objects.exists()
