"""Keeps an HTTP server from waiting for clients that send or take nothing.

uvicorn waits for ever for the rest of a head or a body and for a reader of its answer, and lets one address open any
number of connections. `GuardedProtocol` sets limits. It overrides what uvicorn calls and httptools calls back, which
neither promises to keep: the versions are pinned, and tests/rest/test_guard.py holds every limit.
"""

import asyncio
from collections import Counter
from typing import Any, ClassVar

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

_REFUSALS = {
    408: b"HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-length: 0\r\n\r\n",
    431: b"HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\ncontent-length: 0\r\n\r\n",
}

_open_by_address: Counter[str] = Counter()


class _HeadTooLarge(Exception):
    """Ends the parsing of a request."""


class GuardedProtocol(HttpToolsProtocol):
    """One connection. Times are in seconds, for `uvicorn.Config(http=...)`.

    A head must be whole in `head_seconds` and `most_head_bytes`. A body must not pause for longer than
    `body_idle_seconds`, nor come slower than `least_body_rate` bytes a second once `body_grace_seconds` are over; time
    in which nobody here reads it does not count. A reader must take what fills the buffers within `reader_seconds`.
    One address may have `most_per_address` connections to each process; 0 is no limit.
    """

    head_seconds: ClassVar[float] = 5.0
    most_head_bytes: ClassVar[int] = 32 << 10
    body_idle_seconds: ClassVar[float] = 10.0
    body_grace_seconds: ClassVar[float] = 30.0
    least_body_rate: ClassVar[float] = 1024.0
    reader_seconds: ClassVar[float] = 60.0
    most_per_address: ClassVar[int] = 100

    _address = ""
    _in_head = True
    _in_body = False
    _head_bytes = 0
    _body_bytes = 0
    _body_began = 0.0
    _due: float | None = None
    _timer: asyncio.TimerHandle | None = None
    _reader_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._address = self.client[0] if self.client else ""
        _open_by_address[self._address] += 1
        if self._address and 0 < self.most_per_address < _open_by_address[self._address]:
            transport.abort()
            return
        self._expect(self.head_seconds)

    def connection_lost(self, exc: Exception | None) -> None:
        self._due = None
        for timer in (self._timer, self._reader_timer):
            if timer is not None:
                timer.cancel()
        _open_by_address[self._address] -= 1
        if not _open_by_address[self._address]:
            del _open_by_address[self._address]
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if not self._in_head and not self._in_body:
            # The first bytes after a request end uvicorn's own time-out between two, even before a new one begins.
            self._begin_head()
        if self._in_head:
            self._head_bytes += len(data)
        super().data_received(data)
        if self._in_head and self._head_bytes > self.most_head_bytes and not self.transport.is_closing():
            self._refuse(431)

    def on_message_begin(self) -> None:
        if not self._in_head:
            self._begin_head()
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        size = len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)
        if size > self.most_head_bytes:
            raise _HeadTooLarge
        super().on_headers_complete()
        self._in_head, self._in_body = False, True
        self._body_bytes, self._body_began = 0, self.loop.time()
        self._expect(self.body_seconds())

    def on_body(self, body: bytes) -> None:
        super().on_body(body)
        self._body_bytes += len(body)
        slowest = self._body_began + self.body_grace_seconds + self._body_bytes / self.least_body_rate
        self._expect(min(self.body_seconds(), max(0.0, slowest - self.loop.time())))

    def on_message_complete(self) -> None:
        self._in_head = self._in_body = False
        self._due = None
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        if self._in_head and self._head_bytes > self.most_head_bytes:
            self._refuse(431)
        else:
            super().send_400_response(msg)
            self._end_soon()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self.transport.is_closing():
            self._end_soon()

    def timeout_keep_alive_handler(self) -> None:
        super().timeout_keep_alive_handler()
        self._end_soon()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._reader_timer = self.loop.call_later(self.reader_seconds, self.transport.abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._reader_timer is not None:
            self._reader_timer.cancel()

    def body_seconds(self) -> float:
        """How long the body of the current request may pause; its headers are in `self.headers`."""
        return self.body_idle_seconds

    def _begin_head(self) -> None:
        self._in_head, self._in_body, self._head_bytes = True, False, 0
        self._expect(self.head_seconds)

    def _expect(self, seconds: float) -> None:
        """Give the client so long from now. A running timer is left to find out for itself that there is more time."""
        self._due = self.loop.time() + seconds
        if self._timer is None:
            self._timer = self.loop.call_at(self._due, self._look)
        elif self._timer.when() > self._due:
            self._timer.cancel()
            self._timer = self.loop.call_at(self._due, self._look)

    def _look(self) -> None:
        self._timer = None
        if self._due is None or self.transport.is_closing():
            return
        if self.loop.time() < self._due:
            self._timer = self.loop.call_at(self._due, self._look)
        elif self._in_body and self.flow.read_paused:
            # We are the ones who are slow.
            self._body_began += self.body_seconds()
            self._expect(self.body_seconds())
        elif self._in_head and self._answers:
            # The next request, in a hurry; uvicorn begins it after this answer.
            self._expect(self.head_seconds)
        else:
            self._refuse(408)

    @property
    def _answers(self) -> bool:
        return not getattr(self.cycle, "response_complete", True)

    def _refuse(self, status: int) -> None:
        if not self._answers or not self.cycle.response_started:
            self.transport.write(_REFUSALS[status])
        self.transport.close()
        self._end_soon()

    def _end_soon(self) -> None:
        """A closed connection stays open until its buffer is empty, which is up to the reader."""
        self.loop.call_later(self.reader_seconds, self.transport.abort)
