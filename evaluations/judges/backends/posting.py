"""One POST of JSON to a judge's server, bounded in time and size, never redirected."""

import datetime as dt
import json
import ssl
import time
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from functools import cache
from typing import Any

import httpx

from evaluations.judges.backends.destinations import Destination, Reach, destinations
from evaluations.judges.backends.errors import Malformed, Rejected, TimedOut, Unavailable

MAX_BYTES = 2 * 2**20
CONNECT_SECONDS = 5.0
LONGEST_WAIT = 120.0


@dataclass(frozen=True, kw_only=True)
class Response:
    """A server's response; `retry_after` in seconds, if it named a time."""

    status: int
    body: bytes
    retry_after: float | None

    def document(self) -> dict[str, Any]:
        """The body as a JSON object. Raises Malformed."""
        try:
            document = json.loads(self.body)
        except (ValueError, RecursionError):
            document = None
        if not isinstance(document, dict):
            raise Malformed(
                "The judge’s server did not respond with JSON.", raw=self.body[:2000].decode("utf-8", "replace")
            )
        return document


def post(url: str, body: dict[str, Any], *, headers: dict[str, str], seconds: float, reach: Reach) -> Response:
    """Send `body` and read the response within `seconds`. Raises TimedOut, Unavailable, Rejected or Malformed."""
    found = destinations(url, reach)
    deadline = time.monotonic() + seconds
    with httpx.Client(verify=_trusted(), trust_env=False, follow_redirects=False) as client:
        for last, place in ((place is found[-1], place) for place in found):
            try:
                return _exchange(client, place, body, headers, deadline)
            except (httpx.ConnectError, httpx.ConnectTimeout):
                if last:
                    raise Unavailable("The judge’s server does not respond. Check its address.") from None
            except httpx.TimeoutException:
                raise _late(seconds) from None
            except httpx.HTTPError:
                raise Unavailable("The connection to the judge’s server broke off.") from None
    raise Unavailable("The judge’s address has no server.")


def _exchange(
    client: httpx.Client, place: Destination, body: dict[str, Any], headers: dict[str, str], deadline: float
) -> Response:
    left = max(deadline - time.monotonic(), 0.1)
    with client.stream(
        "POST",
        place.url,
        json=body,
        headers={**headers, "Host": place.host},
        timeout=httpx.Timeout(left, connect=min(CONNECT_SECONDS, left)),
        extensions={"sni_hostname": place.server_name},
    ) as response:
        if response.is_redirect:
            raise Rejected("The judge’s server redirects elsewhere. Enter the address that it redirects to.")
        content = bytearray()
        for part in response.iter_bytes():
            content += part
            if len(content) > MAX_BYTES:
                raise Malformed("The judge’s server sent far more than a reply.")
            # A server may send a byte at a time for ever.
            if time.monotonic() > deadline:
                raise httpx.ReadTimeout("the response took too long")
        return Response(
            status=response.status_code,
            body=bytes(content),
            retry_after=seconds_of(response.headers.get("retry-after")),
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


def _late(seconds: float) -> TimedOut:
    return TimedOut(f"The judge did not reply within {seconds:g} seconds.")


@cache
def _trusted() -> ssl.SSLContext:
    return httpx.create_ssl_context(trust_env=False)
