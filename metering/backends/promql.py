"""CloudWatch's PromQL, for which botocore has no operation: requests are signed here."""

import datetime as dt
import json
import math
import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode

import httpx
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import ReadOnlyCredentials

from jobs.backends.sagemaker.errors import THROTTLED
from metering.backends.errors import UsageSourceError

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
HOUR = dt.timedelta(hours=1)
MOST_HOURS = 24
"""A query may scan as many."""
TRIES = 4
TOO_MANY_REQUESTS, SERVER_ERROR = 429, 500


class PromQL:
    """Queries at `url`, which ends before `/query_range`. `credentials` may have to fetch them."""

    def __init__(
        self, url: str, region: str, credentials: Callable[[], ReadOnlyCredentials], *, pause: float = 0.5
    ) -> None:
        self._url = url
        self._region = region
        self._credentials = credentials
        self._pause = pause
        self._http = httpx.Client(timeout=httpx.Timeout(15.0, connect=5.0), trust_env=False)

    def by_hour(self, query: str, start: dt.datetime, end: dt.datetime) -> Mapping[dt.datetime, float]:
        """The value of a query over `[1h]` for each hour from `start` up to `end`, both full hours.

        Hours without a value are left out, as are values that are no numbers. Of several series, the first counts:
        a query should give one. Raises UsageSourceError.
        """
        found: dict[dt.datetime, float] = {}
        while start < end:
            upto = min(start + MOST_HOURS * HOUR, end)
            # Each hour is looked back at from its end, so the first is scanned from `start` on.
            form = {"query": query, "start": (start + HOUR).timestamp(), "end": upto.timestamp(), "step": "3600s"}
            for at, value in self._values(form):
                if math.isfinite(value):
                    found[dt.datetime.fromtimestamp(at, dt.UTC) - HOUR] = value
            start = upto
        return found

    def _values(self, form: Mapping[str, Any]) -> list[tuple[float, float]]:
        document = self._post(form)
        try:
            series = document["data"]["result"]
            return [(float(at), float(value)) for at, value in series[0]["values"]] if series else []
        except (KeyError, TypeError, ValueError, IndexError) as error:
            raise UsageSourceError("platform:aws_refused", "PromQL’s answer has no values.", temporary=False) from error

    def _post(self, form: Mapping[str, Any]) -> Any:
        """The answer's document. What is throttled or fails is tried again."""
        body = urlencode(form).encode()
        for number in range(TRIES):
            if number:
                time.sleep(self._pause * 2 ** (number - 1))
            try:
                answer = self._http.post(f"{self._url}/query_range", content=body, headers=self._signed(body))
            except httpx.HTTPError:
                continue
            if answer.is_success:
                return _document(answer)
            if answer.status_code < SERVER_ERROR and answer.status_code != TOO_MANY_REQUESTS and not _throttled(answer):
                text = f"AWS refused a query of the engine’s metrics with status {answer.status_code}."
                raise UsageSourceError("platform:aws_refused", text, temporary=False)
        raise UsageSourceError("platform:aws_unreachable", "PromQL is not responding.", temporary=True)

    def _signed(self, body: bytes) -> dict[str, str]:
        request = AWSRequest("POST", f"{self._url}/query_range", data=body, headers=FORM)
        SigV4Auth(self._credentials(), "monitoring", self._region).add_auth(request)
        return dict(request.headers.items())


def _document(answer: httpx.Response) -> Any:
    try:
        return json.loads(answer.content)
    except ValueError as error:
        raise UsageSourceError("platform:aws_refused", "PromQL’s answer is not JSON.", temporary=False) from error


def _throttled(answer: httpx.Response) -> bool:
    return any(code in answer.text for code in THROTTLED)
