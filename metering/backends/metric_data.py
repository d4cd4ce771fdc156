"""CloudWatch's GetMetricData: statistics by hour of any number of metrics.

The period is an hour: CloudWatch keeps those for 455 days, while shorter periods have no data of the weeks before.
"""

import datetime as dt
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, PartialCredentialsError

from jobs.backends.sagemaker.errors import DENIED, SERVER_ERROR, THROTTLED, code_of, text_of
from metering.backends.errors import UsageSourceError

HOUR = dt.timedelta(hours=1)
MOST_QUERIES = 500
MOST_POINTS = 100_800
TRIES = 4

Request = dict[str, Any]
Points = Mapping[dt.datetime, float]


@dataclass(frozen=True)
class Statistic:
    """A statistic, such as "Sum" or "p95", of a metric with exactly these dimensions."""

    namespace: str
    metric: str
    stat: str
    dimensions: tuple[tuple[str, str], ...]


class MetricData:
    """Asks `client`, boto3's of CloudWatch. `pause` is the seconds before a second try; each further one doubles it."""

    def __init__(self, client: Any, *, pause: float = 0.5) -> None:
        self._client = client
        self._pause = pause

    def read(
        self, wanted: Sequence[Statistic], start: dt.datetime, end: dt.datetime
    ) -> Mapping[Statistic, Points | None]:
        """The values of each by hour; None for one that CloudWatch could not compute. Raises UsageSourceError."""
        hours = max(1, (end - start) // HOUR)
        size = max(1, min(MOST_QUERIES, MOST_POINTS // hours))
        found: dict[Statistic, Points | None] = {}
        for first in range(0, len(wanted), size):
            found |= self._batch(wanted[first : first + size], start, end)
        return found

    def _batch(
        self, wanted: Sequence[Statistic], start: dt.datetime, end: dt.datetime
    ) -> dict[Statistic, Points | None]:
        """Those that had an internal error are asked again."""
        found: dict[Statistic, Points | None] = {}
        left = list(wanted)
        for number in range(TRIES):
            if number:
                time.sleep(self._pause * 2 ** (number - 1))
            answers = self._pages(left, start, end)
            found |= {one: points for one, points in zip(left, answers, strict=True) if points is not None}
            left = [one for one, points in zip(left, answers, strict=True) if points is None]
            if not left:
                break
        return found | dict.fromkeys(left)

    def _pages(self, wanted: Sequence[Statistic], start: dt.datetime, end: dt.datetime) -> list[Points | None]:
        """The points of all pages. A metric's points may be spread over several, and its last status counts."""
        points: list[dict[dt.datetime, float]] = [{} for _ in wanted]
        status = ["InternalError"] * len(wanted)
        request: Request = {
            "MetricDataQueries": [_query(number, one) for number, one in enumerate(wanted)],
            "StartTime": start,
            "EndTime": end,
            "ScanBy": "TimestampAscending",
        }
        while True:
            answer = self._ask(request)
            for result in answer["MetricDataResults"]:
                number = int(result["Id"].removeprefix("q"))
                times = (at.astimezone(dt.UTC) for at in result["Timestamps"])
                points[number].update(zip(times, result["Values"], strict=True))
                status[number] = result["StatusCode"]
            if not answer.get("NextToken"):
                break
            request["NextToken"] = answer["NextToken"]
        if "Forbidden" in status:
            what = wanted[status.index("Forbidden")].metric
            raise UsageSourceError("platform:aws_denied", f"CloudWatch does not show {what}.", temporary=False)
        return [values if told == "Complete" else None for values, told in zip(points, status, strict=True)]

    def _ask(self, request: Request) -> Mapping[str, Any]:
        try:
            answer: Mapping[str, Any] = self._client.get_metric_data(**request)
        except ClientError as error:
            raise explained(error) from error
        except (NoCredentialsError, PartialCredentialsError) as error:
            text = "AWS credentials are missing."
            raise UsageSourceError("platform:aws_credentials", text, temporary=False) from error
        except (BotoCoreError, ConnectionError, TimeoutError) as error:
            text = "CloudWatch is not responding."
            raise UsageSourceError("platform:aws_unreachable", text, temporary=True) from error
        return answer


def explained(error: ClientError) -> UsageSourceError:
    """What an error of AWS means for a reading."""
    code, text = code_of(error), text_of(error)
    status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    if code in THROTTLED:
        return UsageSourceError("platform:aws_throttled", "CloudWatch is busy.", temporary=True)
    if code in DENIED:
        return UsageSourceError("platform:aws_denied", f"AWS refused reading metrics ({code}).", temporary=False)
    if status >= SERVER_ERROR or code == "InvalidNextToken":
        # A token that has expired is not worth more than the next reading.
        return UsageSourceError("platform:aws_unreachable", "CloudWatch is not responding.", temporary=True)
    return UsageSourceError("platform:aws_refused", f"AWS refused reading metrics: {code}: {text}", temporary=False)


def _query(number: int, wanted: Statistic) -> Request:
    dimensions = [{"Name": name, "Value": value} for name, value in wanted.dimensions]
    metric = {"Namespace": wanted.namespace, "MetricName": wanted.metric, "Dimensions": dimensions}
    period = int(HOUR.total_seconds())
    return {"Id": f"q{number}", "MetricStat": {"Metric": metric, "Period": period, "Stat": wanted.stat}}
