"""One POST of JSON to somebody's server, bounded in time and size, never redirected."""

import datetime as dt
import ssl
import time
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from functools import cache

import httpcore

from tenants.outbound.deadlines import DeadlineBackend
from tenants.outbound.destinations import Destination, Reach, destinations
from tenants.outbound.errors import Forbidden, TooSlow, Unreachable, Unreadable

MAX_BYTES = 2 * 2**20
CONNECT_SECONDS = 5.0
LONGEST_WAIT = 86_400.0
REDIRECTS = (301, 302, 303, 307, 308)


@dataclass(frozen=True, kw_only=True)
class Response:
    """A server's response; `retry_after` in seconds, if it named a time."""

    status: int
    body: bytes
    retry_after: float | None


def post(url: str, content: bytes, *, headers: dict[str, str], seconds: float, reach: Reach) -> Response:
    """Send JSON and read the response within `seconds`. Raises OutboundError."""
    found = destinations(url, reach)
    with httpcore.ConnectionPool(
        ssl_context=_trusted(), network_backend=DeadlineBackend(time.monotonic() + seconds)
    ) as pool:
        for last, place in ((place is found[-1], place) for place in found):
            try:
                return _exchange(pool, place, content, headers)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                if last:
                    raise Unreachable("The server does not respond. Check its address.") from None
            except httpcore.TimeoutException:
                raise TooSlow(f"The server did not reply within {seconds:g} seconds.") from None
            except (httpcore.NetworkError, httpcore.ProtocolError):
                raise Unreachable("The connection to the server broke off.") from None
    raise Unreachable("The address has no server.")


def _exchange(pool: httpcore.ConnectionPool, place: Destination, content: bytes, headers: dict[str, str]) -> Response:
    all_headers = {
        **headers,
        "Host": place.host,
        "Content-Type": "application/json",
        # A few bytes may unpack to gigabytes.
        "Accept-Encoding": "identity",
        "Connection": "close",
    }
    with pool.stream(
        "POST",
        place.url,
        headers=list(all_headers.items()),
        content=content,
        extensions={"timeout": {"connect": CONNECT_SECONDS}, "sni_hostname": place.server_name},
    ) as response:
        said = {name.lower(): value for name, value in response.headers}
        if response.status in REDIRECTS:
            raise Forbidden("The server redirects elsewhere. Enter the address that it redirects to.")
        if said.get(b"content-encoding", b"identity") != b"identity":
            raise Unreadable("The server sent a compressed reply, though none was asked for.")
        received = bytearray()
        for part in response.iter_stream():
            received += part
            if len(received) > MAX_BYTES:
                raise Unreadable("The server sent far more than a reply.")
        return Response(
            status=response.status,
            body=bytes(received),
            retry_after=seconds_of(said.get(b"retry-after", b"").decode("latin-1")),
        )


def seconds_of(header: str | None) -> float | None:
    """Retry-After in seconds from now: it is a number or a date."""
    if not header:
        return None
    try:
        seconds = float(header)
    except ValueError:
        try:
            seconds = (parsedate_to_datetime(header) - dt.datetime.now(dt.UTC)).total_seconds()
        except (ValueError, TypeError):
            return None
    return min(max(seconds, 0.0), LONGEST_WAIT) if seconds == seconds else None


@cache
def _trusted() -> ssl.SSLContext:
    return httpcore.default_ssl_context()
