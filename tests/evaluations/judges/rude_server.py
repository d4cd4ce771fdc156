"""A server of a few bytes: whatever the request, it sends what it was told to, in its own time."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Send = Callable[[socket.socket], None]


@contextmanager
def rude_server(send: Send) -> Iterator[str]:
    """Call `send` with each connection once its request has come. The address ends in /v1."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve(connection: socket.socket) -> None:
        with connection:
            try:
                received = b""
                while b'"messages"' not in received:
                    received += connection.recv(65536)
                send(connection)
            except OSError:
                # The client has had enough, which is what is tested.
                pass

    def accept() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=serve, args=(connection,), daemon=True).start()

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/v1"
    finally:
        # Closing alone does not wake `accept`.
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


def response(body: bytes, *headers: str, status: str = "200 OK") -> bytes:
    """A whole HTTP response."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body
