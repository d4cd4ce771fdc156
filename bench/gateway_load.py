"""What bench/gateway.py runs beside the gateways: an engine that answers at once, and clients in a closed loop.

`python -m bench.gateway_load engine PORT`, or `clients PORT TOKEN CONNECTIONS SECONDS whole|stream`, which prints the
latency of each answer in seconds as a JSON list.
"""

import asyncio
import json
import sys
import time

import uvloop

EVENTS = 20
TEXT = "The parties agree to the terms that are set out below. "
USAGE = {"prompt_tokens": 40, "completion_tokens": EVENTS, "total_tokens": 40 + EVENTS}
HEADERS = b"HTTP/1.1 200 OK\r\nx-busy-ms: 12.500\r\ncontent-type: %b\r\n%b\r\n\r\n"


def whole_answer() -> bytes:
    """A chat completion."""
    choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": TEXT * 4}}
    body = json.dumps({"id": "x", "object": "chat.completion", "model": "m", "choices": [choice], "usage": USAGE})
    length = b"content-length: %d" % len(body)
    return HEADERS % (b"application/json", length) + body.encode()


def streamed_answer() -> bytes:
    """The same as a stream of EVENTS events, all at once."""
    events: list[dict[str, object]] = [
        {"id": "x", "model": "m", "choices": [{"index": 0, "delta": {"content": TEXT[:12]}}]} for _ in range(EVENTS)
    ]
    events.append({"id": "x", "model": "m", "choices": [], "usage": USAGE, "busy_ms": 12.5})
    body = "".join(f"data: {json.dumps(event)}\n\n" for event in events).encode() + b"data: [DONE]\n\n"
    head = HEADERS % (b"text/event-stream", b"transfer-encoding: chunked")
    return head + b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)


WHOLE, STREAMED = whole_answer(), streamed_answer()


class Engine(asyncio.Protocol):
    """Answers every POST whose body has come."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: asyncio.WriteTransport = transport  # type: ignore[assignment]
        self._received = b""

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, mark, body = self._received.partition(b"\r\n\r\n")
        if mark and len(body) >= length_of(head):
            self._received = b""
            streamed = b'"stream":true' in body.replace(b" ", b"")
            self._transport.write(STREAMED if streamed else WHOLE)


class Client(asyncio.Protocol):
    """Asks again as soon as it has its answer, until `ends`."""

    def __init__(self, request: bytes, ends: float, latencies: list[float]) -> None:
        self._request = request
        self._ends = ends
        self._latencies = latencies
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: asyncio.WriteTransport = transport  # type: ignore[assignment]
        self._ask()

    def connection_lost(self, error: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(error or ConnectionError("the gateway ended the connection"))

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, mark, body = self._received.partition(b"\r\n\r\n")
        if not mark:
            return
        if not head.startswith(b"HTTP/1.1 200"):
            self.done.set_exception(ConnectionError(self._received.decode()[:500]))
        elif body.endswith(b"0\r\n\r\n") if b"chunked" in head.lower() else len(body) >= length_of(head):
            now = time.perf_counter()
            self._latencies.append(now - self._asked)
            if now < self._ends:
                self._ask()
            else:
                self.done.set_result(None)
                self._transport.close()

    def _ask(self) -> None:
        self._received = b""
        self._asked = time.perf_counter()
        self._transport.write(self._request)


def length_of(head: bytes) -> int:
    """The content-length of a head."""
    return int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0] or 0)


def request_of(token: str, *, streamed: bool) -> bytes:
    """A chat with a prompt of a page."""
    document = {"model": "tiny-llama", "messages": [{"role": "user", "content": TEXT * 20}], "stream": streamed}
    body = json.dumps(document).encode()
    head = f"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\n"
    return head.encode() + b"content-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(body) + body


async def serve(port: int) -> None:
    """Be the engine until killed."""
    server = await asyncio.get_running_loop().create_server(Engine, "127.0.0.1", port, backlog=1024)
    await server.serve_forever()


async def load(port: int, token: str, connections: int, seconds: float, *, streamed: bool) -> list[float]:
    """Latencies in seconds of all answers that came in that time."""
    loop = asyncio.get_running_loop()
    latencies: list[float] = []
    request, ends = request_of(token, streamed=streamed), time.perf_counter() + seconds
    clients = [
        (await loop.create_connection(lambda: Client(request, ends, latencies), "127.0.0.1", port))[1]
        for _ in range(connections)
    ]
    await asyncio.gather(*(client.done for client in clients))
    return latencies


def main() -> None:
    """Be an engine or clients, as the command line says."""
    kind, port, *rest = sys.argv[1:]
    if kind == "engine":
        uvloop.run(serve(int(port)))
        return
    token, connections, seconds, how = rest
    latencies = uvloop.run(load(int(port), token, int(connections), float(seconds), streamed=how == "stream"))
    print(json.dumps(latencies))


if __name__ == "__main__":
    main()
