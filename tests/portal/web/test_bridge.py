"""WSGI in threads behind an event loop: what the application reads and sends, and what keeps it from its work."""

import contextlib
import json
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import httpx
import pytest

from portal.web.body import STREAMED
from portal.web.bridge import Bridge
from tests.portal.web.serving import answer, ask, connect, serving

SIZE = 8 << 20


class Application:
    """Answers by path; what it saw and did is kept."""

    def __init__(self) -> None:
        self.environ: dict[str, Any] = {}
        self.go = threading.Event()
        self.closed = threading.Event()
        self.sent = 0
        self.error: BaseException | None = None

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        self.environ = environ
        path = environ["PATH_INFO"]
        if path == "/wait":
            self.go.wait(30)
        if path == "/unread":
            start_response("409 Conflict", [("Content-Length", "2")])
            return [b"no"]
        start_response("200 OK", [])
        return {"/read": self.read, "/lines": self.lines, "/much": self.much}.get(path, self.name)()

    def name(self) -> Iterable[bytes]:
        return [self.environ["PATH_INFO"].encode("latin-1")]

    def read(self) -> Iterable[bytes]:
        size = 0
        try:
            while data := self.environ["wsgi.input"].read(100_000):
                size += len(data)
        except OSError as error:
            self.error = error
        return [str(size).encode()]

    def lines(self) -> Iterable[bytes]:
        return [json.dumps([len(line) for line in iter(self.environ["wsgi.input"].readline, b"")]).encode()]

    def much(self) -> Iterator[bytes]:
        try:
            while self.sent < 200 << 20:
                self.sent += 1 << 14
                yield bytes(1 << 14)
        finally:
            self.closed.set()


@pytest.fixture
def app() -> Iterator[Application]:
    app = Application()
    yield app
    app.go.set()


@pytest.fixture
def port(app: Application) -> Iterator[int]:
    with serving(Bridge(app, threads=2, uploads=2, waiting=3)) as port:
        yield port


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_the_environment(app: Application, port: int) -> None:
    headers = [("Cookie", "a=1"), ("Cookie", "b=2"), ("X-Two", "1"), ("X-Two", "2"), ("Bad_Name", "1")]
    answer = httpx.post(f"http://127.0.0.1:{port}/caf%C3%A9/%ff?q=%20x", headers=headers, content=b"body")
    assert answer.content == "/café/".encode() + b"\xff"
    environ = app.environ
    assert environ["QUERY_STRING"] == "q=%20x"
    assert (environ["HTTP_COOKIE"], environ["HTTP_X_TWO"]) == ("a=1; b=2", "1,2")
    assert "HTTP_BAD_NAME" not in environ
    assert (environ["REQUEST_METHOD"], environ["CONTENT_LENGTH"], environ["REMOTE_ADDR"]) == ("POST", "4", "127.0.0.1")


@pytest.mark.parametrize("kind", ["application/json", STREAMED])
@pytest.mark.parametrize("size", [0, 10, SIZE])
def test_a_body_is_read_whole(port: int, kind: str, size: int) -> None:
    answer = httpx.post(f"http://127.0.0.1:{port}/read", content=bytes(size), headers={"Content-Type": kind})
    assert int(answer.content) == size


def test_a_long_body_is_read_by_line_too(port: int) -> None:
    lines = [b"a" * 70_000 + b"\n", b"\n", b"last"]
    url, headers = f"http://127.0.0.1:{port}/lines", {"Content-Type": STREAMED}
    assert httpx.post(url, content=b"".join(lines), headers=headers).json() == [len(line) for line in lines]


def test_a_body_without_a_length_has_one_if_it_is_small(app: Application, port: int) -> None:
    assert httpx.post(f"http://127.0.0.1:{port}/read", content=iter([b"abc", b"de"])).content == b"5"
    assert app.environ["CONTENT_LENGTH"] == "5"
    large = (bytes(1 << 16) for _ in range(100))
    assert httpx.post(f"http://127.0.0.1:{port}/read", content=large).status_code == 411


def test_an_answer_comes_before_a_body_that_nobody_reads(port: int) -> None:
    head = f"PATCH /unread HTTP/1.1\r\nhost: x\r\ncontent-type: {STREAMED}\r\ncontent-length: {SIZE}\r\n\r\n".encode()
    with connect(port, head + bytes(1 << 20)) as connection:
        said = answer(connection)
    assert said.startswith(b"HTTP/1.1 409")
    assert b"connection: close" in said
    assert said.endswith(b"no")


def test_a_client_that_goes_in_the_middle_of_its_body_is_an_error_of_reading(app: Application, port: int) -> None:
    head = f"POST /read HTTP/1.1\r\nhost: x\r\ncontent-type: {STREAMED}\r\ncontent-length: 1000\r\n\r\n".encode()
    connect(port, head + b"abc").close()
    until(lambda: app.error)


def test_a_slow_reader_holds_no_thread_and_little_memory(app: Application, port: int) -> None:
    request = b"GET /much HTTP/1.1\r\nhost: x\r\n\r\n"
    with contextlib.ExitStack() as readers:
        for _ in range(4):
            readers.enter_context(connect(port, request))
        until(lambda: app.sent)
        assert ask(port, "/other").endswith(b"/other\r\n0\r\n\r\n")
        assert app.sent < 100 << 20
    assert app.closed.wait(20), "an answer whose reader has gone is given up"


def test_head_runs_no_download(app: Application, port: int) -> None:
    assert httpx.head(f"http://127.0.0.1:{port}/much").status_code == 200
    assert app.sent == 0


def test_health_is_answered_while_all_threads_are_at_work_and_the_line_is_full(app: Application, port: int) -> None:
    request = b"GET /wait HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"
    with contextlib.ExitStack() as waiting:
        connections = [waiting.enter_context(connect(port, request)) for _ in range(5)]
        until(lambda: ask(port).startswith(b"HTTP/1.1 503"))
        refused = httpx.get(f"http://127.0.0.1:{port}/api/v1/jobs/")
        assert (refused.status_code, refused.json()["code"], refused.headers["Retry-After"]) == (
            503,
            "platform:busy",
            "5",
        )
        assert httpx.get(f"http://127.0.0.1:{port}/health/").status_code == 200
        app.go.set()
        assert all(answer(connection).startswith(b"HTTP/1.1 200") for connection in connections)


def test_slow_uploads_leave_pages_alone_and_do_not_wait_in_line(app: Application, port: int) -> None:
    head = f"POST /read HTTP/1.1\r\nhost: x\r\ncontent-type: {STREAMED}\r\ncontent-length: 1000\r\n\r\n".encode()
    with contextlib.ExitStack() as uploads:
        for _ in range(2):
            uploads.enter_context(connect(port, head))
        headers = {"Content-Type": STREAMED}
        until(lambda: httpx.post(f"http://127.0.0.1:{port}/read", content=b"x", headers=headers).status_code == 503)
        assert ask(port, "/other").startswith(b"HTTP/1.1 200")
