"""The real web server receives a large file in bounded memory, and closes silent connections."""

import os
import socket

import pytest

from corpora.models import Upload
from tenants.models import Tenant
from tenants.scope import tenant_scope
from tests.corpora.uploads.conftest import Server
from tests.corpora.uploads.uploading import BYTES, TUS, stored

pytestmark = pytest.mark.slow

MIB = 1 << 20
SIZE = 50 * MIB
MOST_GROWTH_KIB = 12 << 10


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
