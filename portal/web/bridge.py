"""Runs Django's WSGI application behind an event loop.

The loop does all waiting for clients, so that no thread does: a request is read before a thread begins with it, and an
answer that a client takes slowly is asked for piece by piece. The exceptions are long bodies, which are read as they
come by threads of their own kind. Health checks have a thread of theirs, so that they say what the site can do and not
how much it has to do.
"""

import asyncio
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from django.http import JsonResponse
from uvicorn._types import ASGIReceiveCallable, ASGISendCallable, HTTPScope, Scope

from portal.web.body import SMALL_BYTES, STREAMED, Body, StreamedBody, WholeBody, read_small
from portal.web.environ import environ_of
from portal.web.pool import Busy, Pool

HEALTH = "/health/"
PIECE_BYTES = 64 << 10
RETRY_SECONDS = b"5"
# A client that is answered before it has sent everything sends on for a moment, and reads no answer if it cannot.
DRAIN_SECONDS = 2.0
DRAIN_BYTES = 4 << 20

Headers = list[tuple[bytes, bytes]]


@dataclass
class _Answer:
    """An application's answer, of which `piece` is the next part. It belongs to one thread at a time."""

    status: int = 500
    headers: Headers = field(default_factory=list)
    piece: bytes = b""
    ended: bool = False
    pieces: Iterator[bytes] = field(default_factory=lambda: iter(()))
    close: Callable[[], None] = lambda: None

    def begin(self, wsgi: Callable[..., Iterable[bytes]], environ: dict[str, Any]) -> None:
        found = wsgi(environ, self._start)
        self.close = getattr(found, "close", self.close)
        if environ["REQUEST_METHOD"] != "HEAD":
            self.pieces = iter(found)
        self.go_on()

    def go_on(self) -> None:
        """Gather the next piece; close the answer after the last, or where there is none because of an error."""
        parts, size = [], 0
        try:
            for part in self.pieces:
                parts.append(part)
                size += len(part)
                if size >= PIECE_BYTES:
                    break
            else:
                self.ended = True
        except BaseException:
            self.close()
            raise
        self.piece = b"".join(parts)
        if self.ended:
            self.close()

    def _start(self, status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> None:
        self.status = int(status[:3])
        self.headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]


class Bridge:
    """An ASGI application. Each process answers `threads` requests at a time, and reads `uploads` long bodies besides.

    Up to `waiting` requests wait for a thread; others are told that the site is busy.
    """

    def __init__(
        self, wsgi: Callable[..., Iterable[bytes]], *, threads: int = 8, uploads: int = 16, waiting: int = 100
    ) -> None:
        self._wsgi = wsgi
        self._pages = Pool("page", threads=threads, waiting=waiting)
        self._uploads = Pool("upload", threads=uploads, waiting=0)
        self._health = Pool("health", threads=1, waiting=10)

    async def __call__(self, scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        if scope["type"] != "http":
            raise RuntimeError(f"only HTTP is served here, not {scope['type']}")
        with suppress(ConnectionResetError):
            await self._serve(scope, receive, send)

    async def _serve(self, scope: HTTPScope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        headers = dict(scope["headers"])
        length = _length(headers)
        kind = headers.get(b"content-type", b"")
        chunked_form = b"transfer-encoding" in headers and kind.lower().startswith(b"multipart/form-data")
        streams = (length or 0) > SMALL_BYTES or kind == STREAMED.encode() or chunked_form
        body: Body | None = StreamedBody(receive) if streams else await read_small(receive)
        if body is None:
            await _refuse(scope, send, 411, "request:length_required", "A request this large must say its length.")
            return
        if isinstance(body, WholeBody):
            length = len(body.getbuffer())
        answer = _Answer()
        environ = environ_of(scope, body, length)
        pool = self._uploads if streams else self._health if scope["path"] == HEALTH else self._pages
        try:
            await pool.run(lambda: answer.begin(self._wsgi, environ))
        except Busy:
            await _refuse(scope, send, 503, "platform:busy", "The site is busy. Try again in a few seconds.")
            return
        await self._send(answer, body, receive, send)

    async def _send(self, answer: _Answer, body: Body, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        if not body.ended:
            answer.headers.append((b"connection", b"close"))
        await send({"type": "http.response.start", "status": answer.status, "headers": answer.headers})
        if answer.ended and body.ended:
            await send({"type": "http.response.body", "body": answer.piece, "more_body": False})
            return
        gone = asyncio.ensure_future(_until_gone(receive)) if body.ended else None
        try:
            await send({"type": "http.response.body", "body": answer.piece, "more_body": True})
            while not answer.ended and not (gone and gone.done()):
                await self._pages.go_on(answer.go_on)
                await send({"type": "http.response.body", "body": answer.piece, "more_body": True})
        finally:
            if gone is not None:
                gone.cancel()
            if not answer.ended:
                await self._pages.go_on(answer.close)
        if isinstance(body, StreamedBody):
            await body.drain(DRAIN_SECONDS, DRAIN_BYTES)
        await send({"type": "http.response.body", "body": b"", "more_body": False})


def _length(headers: dict[bytes, bytes]) -> int | None:
    said = headers.get(b"content-length", b"")
    return int(said) if said.isdigit() else None


async def _until_gone(receive: ASGIReceiveCallable) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _refuse(scope: HTTPScope, send: ASGISendCallable, status: int, code: str, text: str) -> None:
    """Answer without a thread."""
    if scope["path"].startswith("/api/"):
        # Django must be set up before this can be imported, and imports this module to be.
        from rest.problems import ProblemRenderer, problem

        document = JsonResponse(problem(status, code, text))
        content, kind = document.content, ProblemRenderer.media_type.encode()
    else:
        content, kind = text.encode(), b"text/plain; charset=utf-8"
    headers = [
        (b"content-type", kind),
        (b"content-length", str(len(content)).encode()),
        (b"retry-after", RETRY_SECONDS),
        (b"connection", b"close"),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": content, "more_body": False})
