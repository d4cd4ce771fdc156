"""A web server in a thread of the test, with the application and the limits that the test gives it."""

import asyncio
import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import uvicorn

from rest.guard import GuardedProtocol


@contextlib.contextmanager
def serving(app: Callable[..., Any], protocol: type[GuardedProtocol] = GuardedProtocol) -> Iterator[int]:
    """The port it listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        config = uvicorn.Config(app, http=protocol, ws="none", lifespan="off", log_config=None, access_log=False)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=asyncio.run, args=(server.serve([listener]),))
        thread.start()
        while not server.started:
            assert thread.is_alive()
            time.sleep(0.01)
        yield int(listener.getsockname()[1])
        server.should_exit = True
        server.force_exit = True
        thread.join()


def connect(port: int, sent: bytes = b"") -> socket.socket:
    """A connection on which `sent` was sent."""
    connection = socket.create_connection(("127.0.0.1", port), timeout=30)
    connection.sendall(sent)
    return connection


def answer(connection: socket.socket) -> bytes:
    """All that comes until the other side closes."""
    parts = []
    with contextlib.suppress(ConnectionResetError):
        while part := connection.recv(1 << 16):
            parts.append(part)
    return b"".join(parts)


def ask(port: int, path: str = "/") -> bytes:
    """The answer to a GET."""
    with connect(port, f"GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n".encode()) as connection:
        return answer(connection)
