"""The body of a request, as WSGI reads it."""

import asyncio
import io
import sys
from typing import Protocol

from uvicorn._types import ASGIReceiveCallable

STREAMED = "application/offset+octet-stream"
"""The content type of uploads, which are never read before their view asks for them."""

SMALL_BYTES = 1 << 20


class Body(Protocol):
    """`ended`: whether the client has nothing more to send."""

    ended: bool

    def read(self, size: int = -1, /) -> bytes: ...

    def readline(self, size: int = -1, /) -> bytes: ...


class WholeBody(io.BytesIO):
    """One that was read before a thread began."""

    ended = True


class StreamedBody:
    """One that a thread reads while it comes: the client is asked for more only as it is read."""

    def __init__(self, receive: ASGIReceiveCallable) -> None:
        self._receive = receive
        self._loop = asyncio.get_running_loop()
        self._rest = b""
        self.ended = False

    def read(self, size: int = -1, /) -> bytes:
        """Exactly `size` bytes, fewer at the end, all for a negative size. OSError where the client is gone."""
        return self._take(size, line=False)

    def readline(self, size: int = -1, /) -> bytes:
        """Likewise to the end of the line at most."""
        return self._take(size, line=True)

    async def drain(self, seconds: float, size: int) -> None:
        """Read what still comes and forget it, for so long and so much at most."""
        try:
            async with asyncio.timeout(seconds):
                while not self.ended and size > 0:
                    size -= len(await self._next())
        except (TimeoutError, ConnectionResetError):
            return

    def _take(self, size: int, *, line: bool) -> bytes:
        parts: list[bytes] = []
        left = size if size >= 0 else sys.maxsize
        while left > 0 and (self._rest or not self.ended):
            if not self._rest:
                self._rest = asyncio.run_coroutine_threadsafe(self._next(), self._loop).result()
            end = self._rest.find(b"\n") + 1 if line else 0
            part = self._rest[: min(end or len(self._rest), left)]
            self._rest = self._rest[len(part) :]
            left -= len(part)
            parts.append(part)
            if line and part.endswith(b"\n"):
                break
        return b"".join(parts)

    async def _next(self) -> bytes:
        message = await self._receive()
        if message["type"] != "http.request":
            self.ended = True
            raise ConnectionResetError("the client is gone")
        self.ended = not message.get("more_body", False)
        return message.get("body", b"")


async def read_small(receive: ASGIReceiveCallable) -> WholeBody | None:
    """The body, None if it has more than SMALL_BYTES. ConnectionResetError where the client is gone."""
    parts, size = [], 0
    while size <= SMALL_BYTES:
        message = await receive()
        if message["type"] != "http.request":
            raise ConnectionResetError("the client is gone")
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if not message.get("more_body", False):
            return WholeBody(b"".join(parts))
    return None
