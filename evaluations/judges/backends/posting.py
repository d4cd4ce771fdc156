"""One POST of JSON to a judge's server, bounded in time and size, never redirected."""

import datetime as dt
import json
import ssl
import time
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from functools import cache
from typing import Any

import httpcore

from evaluations.judges.backends.deadlines import DeadlineBackend
from evaluations.judges.backends.destinations import Destination, Reach, destinations
from evaluations.judges.backends.errors import Malformed, NotJSON, Rejected, TimedOut, Unavailable

MAX_BYTES = 2 * 2**20
CONNECT_SECONDS = 5.0
LONGEST_WAIT = 120.0
REDIRECTS = (301, 302, 303, 307, 308)


@dataclass(frozen=True, kw_only=True)
class Response:
    """A server's response; `retry_after` in seconds, if it named a time."""

    status: int
    body: bytes
    retry_after: float | None

    def document(self) -> dict[str, Any]:
        """The body as a JSON object. Raises NotJSON."""
        try:
            document = json.loads(self.body)
        except (ValueError, RecursionError):
            document = None
        if not isinstance(document, dict):
            raise NotJSON(
                "The judge’s server did not respond with JSON.", raw=self.body[:2000].decode("utf-8", "replace")
            )
        return document


def post(url: str, body: dict[str, Any], *, headers: dict[str, str], seconds: float, reach: Reach) -> Response:
    """Send `body` and read the response within `seconds`. Raises TimedOut, Unavailable, Rejected or Malformed."""
    found = destinations(url, reach)
    content = json.dumps(body).encode()
    with httpcore.ConnectionPool(
        ssl_context=_trusted(), network_backend=DeadlineBackend(time.monotonic() + seconds)
    ) as pool:
        for last, place in ((place is found[-1], place) for place in found):
            try:
                return _exchange(pool, place, content, headers)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                if last:
                    raise Unavailable("The judge’s server does not respond. Check its address.") from None
            except httpcore.TimeoutException:
                raise TimedOut(f"The judge did not reply within {seconds:g} seconds.") from None
            except (httpcore.NetworkError, httpcore.ProtocolError):
                raise Unavailable("The connection to the judge’s server broke off.") from None
    raise Unavailable("The judge’s address has no server.")


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
            raise Rejected("The judge’s server redirects elsewhere. Enter the address that it redirects to.")
        if said.get(b"content-encoding", b"identity") != b"identity":
            raise Malformed("The judge’s server sent a compressed reply, though none was asked for.")
        received = bytearray()
        for part in response.iter_stream():
            received += part
            if len(received) > MAX_BYTES:
                raise Malformed("The judge’s server sent far more than a reply.")
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
