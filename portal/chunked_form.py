"""The body of a form that comes in chunks and says no length (RFC 9112, 7.1)."""

from django.http.multipartparser import MultiPartParserError

from portal.web.body import Body
from rest.errors import PortalError

# A client may send a few line breaks after the last boundary.
EPILOGUE_BYTES = 256


class ChunkedForm:
    """Passes on at most `too_large.extra["limit_bytes"]` bytes, then raises `too_large`.

    Raises MultiPartParserError at an end without the last boundary: with no length to compare, nothing else tells a
    whole file from one that broke off.
    """

    def __init__(self, source: Body, boundary: str, too_large: PortalError) -> None:
        self._source = source
        self._last = f"--{boundary}--".encode("latin-1", "replace")
        self._too_large = too_large
        self._left = int(too_large.extra["limit_bytes"] or 0)
        self._tail = b""

    def read(self, size: int = -1, /) -> bytes:
        """Up to `size` bytes, all for a negative size. OSError where the client is gone."""
        return self._passed_on(self._source.read(self._most(size)), size)

    def readline(self, size: int = -1, /) -> bytes:
        """Likewise to the end of the line at most."""
        return self._passed_on(self._source.readline(self._most(size)), size)

    def _most(self, size: int) -> int:
        # One more than is allowed tells a body that is too large.
        return min(size, self._left + 1) if size >= 0 else self._left + 1

    def _passed_on(self, data: bytes, size: int) -> bytes:
        self._left -= len(data)
        if self._left < 0:
            raise self._too_large
        if not data and size != 0 and self._last not in self._tail:
            raise MultiPartParserError("the form ends before its last boundary")
        self._tail = (self._tail + data)[-len(self._last) - EPILOGUE_BYTES :]
        return data
