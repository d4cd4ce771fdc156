"""A connection that sends or takes nothing is ended, one that is merely slow is not, and one address has so many."""

import contextlib
import socket
import time
from collections.abc import Iterator
from typing import Any

import pytest

from rest.guard import GuardedProtocol
from tests.portal.web.serving import answer, ask, connect, serving

HEAD = b"GET / HTTP/1.1\r\nhost: x\r\n"
POST = b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 100000\r\n\r\n"
MOST = 6


class Impatient(GuardedProtocol):
    head_seconds = 0.5
    body_idle_seconds = 0.5
    body_grace_seconds = 1.0
    reader_seconds = 0.5
    most_per_address = MOST


async def app(scope: Any, receive: Any, send: Any) -> None:
    """Says how long the body was; sends 100 MB where that is asked for."""
    size, more = 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        size, more = size + len(message["body"]), message["more_body"]
    await send({"type": "http.response.start", "status": 200, "headers": []})
    for _ in range(1000 if scope["path"] == "/much" else 0):
        await send({"type": "http.response.body", "body": bytes(100_000), "more_body": True})
    await send({"type": "http.response.body", "body": b"%d bytes" % size})


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with serving(app, Impatient) as port:
        yield port


@pytest.mark.parametrize("sent", [b"", HEAD, POST, POST + b"x"], ids=["nothing", "head", "body", "byte"])
def test_a_silent_client_is_cut_off(port: int, sent: bytes) -> None:
    with connect(port, sent) as silent:
        assert answer(silent).startswith(b"HTTP/1.1 408")


def read_until(connection: socket.socket, text: bytes) -> bool:
    """Whether the text comes before the other side closes."""
    said = b""
    while text not in said and (part := connection.recv(1 << 16)):
        said += part
    return text in said


def test_others_are_answered_meanwhile(port: int) -> None:
    with contextlib.ExitStack() as silent:
        for _ in range(MOST - 1):
            silent.enter_context(connect(port, HEAD))
        assert b"0 bytes" in ask(port)


def trickle(connection: socket.socket, piece: bytes) -> None:
    """Send again and again until the other side does not want more."""
    deadline = time.monotonic() + 20
    connection.settimeout(0.1)
    while time.monotonic() < deadline:
        try:
            connection.sendall(piece)
            if connection.recv(1 << 16):
                return
        except TimeoutError:
            continue
        except OSError:
            return
    pytest.fail("it went on for ever")


@pytest.mark.parametrize(("begun", "piece"), [(HEAD, b"a: b\r\n"), (POST, b"x")], ids=["head", "body"])
def test_a_trickle_is_cut_off(port: int, begun: bytes, piece: bytes) -> None:
    with connect(port, begun) as connection:
        trickle(connection, piece)


def test_a_steady_body_takes_as_long_as_it_takes(port: int) -> None:
    with connect(port, POST) as connection:
        for _ in range(20):
            connection.sendall(bytes(5000))
            time.sleep(0.1)
        assert read_until(connection, b"100000 bytes")


def test_an_address_has_so_many_connections(port: int) -> None:
    with contextlib.ExitStack() as crowd:
        crowded = [crowd.enter_context(connect(port)) for _ in range(MOST + 5)]
        said = [answer(connection) for connection in crowded]
    assert sum(one.startswith(b"HTTP/1.1 408") for one in said) <= MOST
    assert said.count(b"") >= 5
    assert b"0 bytes" in ask(port), "room again"


@pytest.mark.parametrize("at_once", [True, False])
def test_a_head_has_its_size(port: int, at_once: bool) -> None:
    large = HEAD + b"x: " + b"y" * (Impatient.most_head_bytes + 10_000)
    with connect(port, large + b"\r\n\r\n" if at_once else large) as connection:
        assert answer(connection).startswith(b"HTTP/1.1 431")


def test_a_body_in_the_packet_of_its_head_is_no_head(port: int) -> None:
    with connect(port, POST + bytes(100_000)) as connection:
        assert read_until(connection, b"100000 bytes")


def test_who_takes_nothing_is_cut_off(port: int) -> None:
    with connect(port, b"GET /much HTTP/1.1\r\nhost: x\r\n\r\n") as reader:
        time.sleep(2)
        reader.settimeout(20)
        assert len(answer(reader)) < 100_000_000


def test_a_line_break_after_a_request_holds_no_connection(port: int) -> None:
    with connect(port, HEAD + b"\r\n") as connection:
        assert read_until(connection, b"0 bytes\r\n0\r\n\r\n")
        connection.sendall(b"\r\n")
        assert answer(connection).startswith(b"HTTP/1.1 408")
