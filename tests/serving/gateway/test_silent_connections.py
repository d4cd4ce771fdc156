"""Connections on which nothing comes do not stay, and stop nobody's answers."""

import contextlib
import socket
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

import httpx
import pytest

from serving.gateway.listening import allow_many_connections
from serving.gateway.protocol import CROWD, GatewayProtocol
from serving.models import Endpoint
from tenants.models import Tenant
from tests.serving.gateway.gateway_client import new_line

pytestmark = pytest.mark.django_db(transaction=True)

HEAD = b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\n"
BODY = HEAD + b"content-length: 1000\r\n"
MOST = 20


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(GatewayProtocol, "head_seconds", 3.0)
    monkeypatch.setattr(GatewayProtocol, "body_idle_seconds", 3.0)
    # Both ends of 900 connections are this process's.
    allow_many_connections()


@contextlib.contextmanager
def crowd(gateway: str, number: int, sent: bytes) -> Iterator[list[socket.socket]]:
    """Connections that each send this, and then nothing more."""
    place = urlsplit(gateway)
    with contextlib.ExitStack() as stack:
        connections = []
        for _ in range(number):
            connection = socket.create_connection((place.hostname, place.port), timeout=60)
            connections.append(stack.enter_context(connection))
            with contextlib.suppress(ConnectionError):
                connection.sendall(sent)
        yield connections


def is_ended(connection: socket.socket) -> bool:
    """Waits until the other side closes, for a minute at most."""
    with contextlib.suppress(ConnectionError):
        while connection.recv(1 << 16):
            pass
    return True


def test_half_open_connections_end_and_others_are_answered_meanwhile(
    gateway: str, tenant: Tenant, endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(GatewayProtocol, "connections_per_address", 0)
    token = new_line(tenant).token
    with crowd(gateway, 450, HEAD) as heads, crowd(gateway, 450, b"") as nothing:
        assert httpx.get(f"{gateway}/health", trust_env=False).status_code == 200
        headers = {"authorization": f"Bearer {token}"}
        assert httpx.get(f"{gateway}/v1/models", headers=headers, trust_env=False).status_code == 200
        assert all(is_ended(connection) for connection in [*heads, *nothing])


def test_a_body_that_never_comes_ends(gateway: str, tenant: Tenant, endpoint: Endpoint) -> None:
    sent = BODY + f"authorization: Bearer {new_line(tenant).token}\r\n\r\n{{".encode()
    with crowd(gateway, 5, sent) as connections:
        assert all(is_ended(connection) for connection in connections)


def test_beyond_its_connections_an_address_is_told_of_health_only(
    gateway: str, tenant: Tenant, endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(GatewayProtocol, "connections_per_address", MOST)
    monkeypatch.setattr(GatewayProtocol, "head_seconds", 30.0)
    headers = {"authorization": f"Bearer {new_line(tenant).token}"}
    with crowd(gateway, MOST, HEAD), httpx.Client(trust_env=False, headers=headers) as client:
        for _ in range(3):
            health = client.get(f"{gateway}/health")
            assert (health.status_code, health.headers["connection"]) == (200, "close")
            refused = client.get(f"{gateway}/v1/models")
            assert refused.status_code == 429
            assert refused.json()["error"]["code"] == "too_many_connections"
            assert refused.headers["retry-after"] == "1"
        with crowd(gateway, CROWD * MOST, HEAD) as more:
            assert all(is_ended(connection) for connection in more)
    deadline = time.monotonic() + 60
    # The server learns of the ends one by one.
    while httpx.get(f"{gateway}/v1/models", headers=headers, trust_env=False).status_code != 200:
        assert time.monotonic() < deadline
        time.sleep(0.05)
