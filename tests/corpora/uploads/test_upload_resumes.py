"""Uploads over real connections: a third-party client, lost connections, concurrent requests and a full disk."""

import datetime as dt
import errno
import io
import random
import socket
import time
from collections.abc import Callable
from urllib.parse import urlsplit
from uuid import UUID

import pytest
from django.utils import timezone
from pytest_django.live_server_helper import LiveServer
from rest_framework.test import APIClient
from tusclient.client import TusClient

from corpora.models import Upload, UploadState
from corpora.quota import used_bytes
from corpora.uploads import staging
from corpora.uploads.errors import UploadBusy, UploadGone
from corpora.uploads.left_behind import clear_abandoned_uploads
from corpora.uploads.receiving import append_to_upload
from corpora.uploads.services import create_upload
from storage.errors import DiskFull
from tenants.keys.services import create_api_key
from tenants.models import Tenant
from tenants.scope import tenant_scope
from tests.corpora.conftest import pairs
from tests.corpora.uploads.uploading import BYTES, TUS, begin, send, staged_bytes, stored

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


@pytest.fixture
def token(tenant: Tenant) -> str:
    with tenant_scope(tenant.id):
        return create_api_key(tenant=tenant, name="test")[1]


@pytest.fixture
def new_upload(in_tenant: Tenant) -> Callable[[int], Upload]:
    def begin(size: int) -> Upload:
        return create_upload(tenant=in_tenant, file_name="rows.jsonl", size=size, created_by=None)

    return begin


def broken_patch(server: str, token: str, path: str, content: bytes, *, offset: int, breaks_after: int) -> None:
    """Announce all bytes from `offset`, send some of them, and close the connection."""
    head = (
        f"PATCH {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\nTus-Resumable: 1.0.0\r\n"
        f"Content-Type: {BYTES}\r\nUpload-Offset: {offset}\r\nContent-Length: {len(content) - offset}\r\n\r\n"
    )
    address = urlsplit(server)
    with socket.create_connection((address.hostname, address.port)) as connection:
        connection.sendall(head.encode() + content[offset : offset + breaks_after])
        connection.shutdown(socket.SHUT_WR)
        # Wait until the server has recorded the received bytes.
        connection.settimeout(30)
        while connection.recv(4096):
            pass


def test_the_protocols_own_client_uploads_a_file(live_server: LiveServer, token: str, tenant: Tenant) -> None:
    content = pairs(3000)
    client = TusClient(f"{live_server.url}/api/v1/uploads/", headers={"Authorization": f"Bearer {token}"})
    uploader = client.uploader(
        file_stream=io.BytesIO(content), chunk_size=50_000, metadata={"filename": "rows.jsonl", "name": "Clauses"}
    )
    uploader.upload()
    with tenant_scope(tenant.id):
        upload = Upload.objects.get()
        assert stored(upload) == content
        assert (upload.state, upload.dataset_name, upload.file_name) == ("inspecting", "Clauses", "rows.jsonl")


def test_a_hundred_aborted_uploads_are_resumed_or_cleared_away(
    live_server: LiveServer, token: str, api: APIClient, tenant: Tenant
) -> None:
    """Each upload is interrupted at a random byte. Every other one is resumed, the rest are abandoned."""
    chance = random.Random(11)
    resumed, forgotten = {}, []
    for number in range(100):
        content = chance.randbytes(chance.randrange(1, 60_000))
        path = urlsplit(begin(api, len(content))["Location"]).path
        bite = chance.randrange(0, len(content))
        broken_patch(live_server.url, token, path, content, offset=0, breaks_after=bite)
        received = int(api.head(path, headers=TUS)["Upload-Offset"])
        assert received <= bite
        upload_id = UUID(path.strip("/").rpartition("/")[2])
        if number % 2:
            forgotten.append(upload_id)
            continue
        assert send(api, path, content[received:], offset=received).status_code == 204
        resumed[upload_id] = content
    with tenant_scope(tenant.id):
        Upload.objects.filter(id__in=forgotten).update(touched_at=timezone.now() - dt.timedelta(hours=25))
    while clear_abandoned_uploads():
        pass
    with tenant_scope(tenant.id):
        assert {upload.id: stored(upload) for upload in Upload.objects.all()} == resumed
        assert used_bytes(tenant) == sum(map(len, resumed.values()))
    assert staged_bytes() == {}


def test_a_hundred_broken_connections_end_in_the_very_file(
    live_server: LiveServer, token: str, api: APIClient, tenant: Tenant
) -> None:
    chance = random.Random(7)
    content = chance.randbytes(3_000_000)
    url = begin(api, len(content))["Location"]
    path = urlsplit(url).path
    received = 0
    for _ in range(100):
        bite = chance.randrange(0, 50_000)
        broken_patch(live_server.url, token, path, content, offset=received, breaks_after=bite)
        now = int(api.head(path, headers=TUS)["Upload-Offset"])
        assert received <= now <= received + bite
        assert list(staged_bytes().values()) in ([now], [])
        received = now
    assert received > 1_000_000
    assert send(api, path, content[received:], offset=received).status_code == 204
    with tenant_scope(tenant.id):
        upload = Upload.objects.get()
        assert stored(upload) == content
        assert used_bytes(tenant) == len(content)
    assert staged_bytes() == {}


def test_of_two_at_once_one_writes(new_upload: Callable[[int], Upload]) -> None:
    upload = new_upload(10)
    with staging.locked_file(upload.id), pytest.raises(UploadBusy):
        append_to_upload(upload=upload, source=io.BytesIO(b"0123456789"), offset=0, length=10)
    append_to_upload(upload=upload, source=io.BytesIO(b"0123456789"), offset=0, length=10)
    upload.refresh_from_db()
    assert (upload.state, stored(upload)) == (UploadState.INSPECTING, b"0123456789")


def test_bytes_that_were_written_and_never_noted_are_cut_off(new_upload: Callable[[int], Upload]) -> None:
    upload = new_upload(10)
    append_to_upload(upload=upload, source=io.BytesIO(b"0123"), offset=0, length=4)
    with staging.staged_path(upload.id).open("ab") as file:
        file.write(b"XXXXXXXX")
    append_to_upload(upload=upload, source=io.BytesIO(b"456789"), offset=4, length=6)
    upload.refresh_from_db()
    assert stored(upload) == b"0123456789"


def test_a_file_that_lost_bytes_begins_where_it_ends(api: APIClient, tenant: Tenant) -> None:
    url = begin(api, 10)["Location"]
    send(api, url, b"01234567", offset=0)
    with tenant_scope(tenant.id):
        upload = Upload.objects.get()
    with staging.staged_path(upload.id).open("r+b") as file:
        file.truncate(3)
    answer = send(api, url, b"89", offset=8)
    assert (answer.status_code, answer.json()["received"]) == (409, 3)
    assert api.head(url, headers=TUS)["Upload-Offset"] == "3"
    assert send(api, url, b"3456789", offset=3).status_code == 204


def test_what_was_safe_before_the_process_died_is_kept(
    new_upload: Callable[[int], Upload], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Long requests record bytes on disk while they run, not only at their end."""
    monkeypatch.setattr(staging, "SAFE_EVERY_BYTES", 1000)
    monkeypatch.setattr(staging, "BUFFER_BYTES", 500)
    upload = new_upload(10_000)
    noted: list[int] = []

    class Watched(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            noted.append(Upload.objects.get(id=upload.id).received)
            return super().read(size)

    append_to_upload(upload=upload, source=Watched(b"x" * 9000), offset=0, length=9000)
    assert noted[::4] == [0, 2000, 4000, 6000, 8000]


def test_a_full_disk_keeps_what_came_and_goes_on_later(api: APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
    content = pairs(100)
    url = begin(api, len(content))["Location"]
    room = 1000

    class Full(io.FileIO):
        def write(self, data: object) -> int:
            nonlocal room
            if not room:
                raise OSError(errno.ENOSPC, "No space left on device")
            written = super().write(memoryview(data)[:room])  # type: ignore[arg-type]
            room -= written or 0
            return written or 0

    with monkeypatch.context() as patched:
        patched.setattr("corpora.uploads.staging.FileIO", Full)
        answer = send(api, url, content, offset=0)
    assert (answer.status_code, answer.json()["code"]) == (507, DiskFull.code)
    assert api.head(url, headers=TUS)["Upload-Offset"] == "1000"
    assert send(api, url, content[1000:], offset=1000).status_code == 204


def test_no_room_for_even_the_first_byte_is_said_so(api: APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
    url = begin(api, 10)["Location"]

    def full(*arguments: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("corpora.uploads.staging.os.open", full)
        assert send(api, url, b"0123456789", offset=0).status_code == 507
    assert send(api, url, b"0123456789", offset=0).status_code == 204


def test_an_upload_cancelled_while_bytes_come_is_gone(api: APIClient, new_upload: Callable[[int], Upload]) -> None:
    upload = new_upload(100)

    class Cancelled(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            if self.tell() == 0:
                assert api.delete(f"/api/v1/uploads/{upload.id}/", headers=TUS).status_code == 204
            return super().read(size)

    with pytest.raises(UploadGone):
        append_to_upload(upload=upload, source=Cancelled(b"x" * 100), offset=0, length=100)
    assert staged_bytes() == {}
    assert not Upload.objects.exists()


def test_a_silent_sender_is_busy_only_until_it_is_given_up(live_server: LiveServer, token: str, api: APIClient) -> None:
    """A concurrent request gets 423, and the received bytes count once the sender is gone."""
    url = urlsplit(begin(api, 1000)["Location"]).path
    upload_id = UUID(url.strip("/").rpartition("/")[2])
    address = urlsplit(live_server.url)
    with socket.create_connection((address.hostname, address.port)) as silent:
        silent.sendall(
            f"PATCH {url} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\nTus-Resumable: 1.0.0\r\n"
            f"Content-Type: {BYTES}\r\nUpload-Offset: 0\r\nContent-Length: 1000\r\n\r\n{'x' * 400}".encode()
        )
        deadline = time.monotonic() + 60
        # The file exists once the first request writes. A PATCH before that could take its lock.
        while not staging.staged_path(upload_id).exists():
            assert time.monotonic() < deadline
            time.sleep(0.02)
        time.sleep(0.2)
        answer = send(api, url, b"x", offset=5)
        assert answer.status_code == 423
        assert answer.json()["code"] == "upload:busy"
    while api.head(url, headers=TUS)["Upload-Offset"] != "400":
        assert time.monotonic() < deadline
        time.sleep(0.02)
