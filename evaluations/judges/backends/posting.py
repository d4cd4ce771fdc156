"""One POST of JSON to a judge's server."""

import json
from dataclasses import dataclass
from typing import Any

from evaluations.judges.backends.errors import JudgeError, Malformed, NotJSON, Rejected, TimedOut, Unavailable
from tenants.outbound import posting
from tenants.outbound.destinations import Reach
from tenants.outbound.errors import Forbidden, OutboundError, TooSlow, Unreachable, Unreadable

LONGEST_WAIT = 120.0

ERRORS: dict[type[OutboundError], type[JudgeError]] = {
    Forbidden: Rejected,
    TooSlow: TimedOut,
    Unreachable: Unavailable,
    Unreadable: Malformed,
}


@dataclass(frozen=True, kw_only=True)
class Response(posting.Response):
    """A judge's response."""

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
    try:
        found = posting.post(url, json.dumps(body).encode(), headers=headers, seconds=seconds, reach=reach)
    except OutboundError as error:
        raise ERRORS[type(error)](error.text) from None
    wait = None if found.retry_after is None else min(found.retry_after, LONGEST_WAIT)
    return Response(status=found.status, body=found.body, retry_after=wait)
