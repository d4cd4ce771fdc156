"""GetMetricData: statistics of the metrics that the stand-in publishes, by AWS's rules.

Points come a minute late. Periods under five minutes have none that are older than 15 days, those under an hour none
older than 63 days. Whatever was never published is Complete and empty.
"""

import json
import math
import re
import statistics
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from standin.cloudwatch.metrics import KEPT_SECONDS, Key, Metrics, key
from standin.cloudwatch.published import PUBLISHED
from standin.errors import AwsError, invalid
from standin.faults import MetricFaults

Request = dict[str, Any]

MOST_QUERIES = 500
MOST_POINTS = 100_800
DAY = 86_400.0
AGES = ((300, 15 * DAY), (3600, 63 * DAY))
"""Periods below the first have no points older than the second."""
ID = re.compile(r"[a-z]\w*", re.ASCII)
PERCENTILE = re.compile(r"p(\d{1,3}(?:\.\d{1,10})?)")
STATISTICS: dict[str, Callable[[list[float]], float]] = {
    "Average": statistics.fmean,
    "Maximum": max,
    "Minimum": min,
    "SampleCount": len,
    "Sum": sum,
}
LACKING = ("Unit",)
INTERNAL = {"Code": "InternalError", "Value": "An internal error occurred. Try again."}
FORBIDDEN = {"Code": "Forbidden", "Value": "You are not authorized to access this metric."}


@dataclass(kw_only=True)
class Result:
    """The answer to one query, whose points may come on several pages."""

    id: str
    label: str
    points: list[tuple[float, float]]
    status: str = "Complete"
    messages: list[dict[str, str]] = field(default_factory=list)

    def page(self, points: list[tuple[float, float]], *, is_last: bool) -> Request:
        return {
            "Id": self.id,
            "Label": self.label,
            "Timestamps": [at for at, _ in points],
            "Values": [value for _, value in points],
            "StatusCode": self.status if is_last else "PartialData",
            "Messages": self.messages,
        }


class MetricData:
    """Answers GetMetricData. `faults` says what goes wrong."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self.faults = MetricFaults()
        self._pages: dict[str, tuple[str, list[Result]]] = {}
        self.operations = {"GetMetricData": self.get}

    def get(self, request: Request, now: float) -> Request:
        queries = _checked(request)
        asked = json.dumps({name: value for name, value in request.items() if name != "NextToken"}, sort_keys=True)
        if "NextToken" in request:
            known, results = self._pages.get(request["NextToken"], ("", []))
            if known != asked:
                raise AwsError("InvalidNextToken", "The next token specified is invalid.")
        else:
            results = [self._result(query, request, now) for query in queries if query.get("ReturnData", True)]
        size = min(int(request.get("MaxDatapoints", MOST_POINTS)), self.faults.page_points)
        shown, left = _page(results, size)
        if not left:
            return {"MetricDataResults": shown, "Messages": []}
        token = uuid.uuid4().hex
        self._pages[token] = asked, left
        return {"MetricDataResults": shown, "Messages": [], "NextToken": token}

    def _result(self, query: Request, request: Request, now: float) -> Result:
        stat = query["MetricStat"]
        metric, statistic, period = stat["Metric"], stat["Stat"], int(stat["Period"])
        name = str(metric.get("MetricName", ""))
        result = Result(id=query["Id"], label=query.get("Label", name), points=[])
        if name in self.faults.forbidden:
            result.status, result.messages = "Forbidden", [FORBIDDEN]
            return result
        if self.faults.fails(name):
            result.status, result.messages = "InternalError", [INTERNAL]
            return result
        published = PUBLISHED.get((metric.get("Namespace", ""), name))
        if published is None or not published.offers(statistic) or name in self.faults.unpublished:
            return result
        dimensions = {one["Name"]: one["Value"] for one in metric.get("Dimensions", ())}
        found = key(metric["Namespace"], name, dimensions)
        result.points = list(self._points(found, statistic, period, request, now))
        if request.get("ScanBy", "TimestampDescending") == "TimestampDescending":
            result.points.reverse()
        return result

    def _points(
        self, metric: Key, statistic: str, period: int, request: Request, now: float
    ) -> Iterator[tuple[float, float]]:
        oldest = now - next((age for least, age in AGES if period < least), KEPT_SECONDS)
        start = max(_rounded(request["StartTime"], now), oldest)
        end = min(request["EndTime"], now - self.faults.late_seconds)
        by_period: dict[int, list[float]] = {}
        for at, value in self._metrics.points(metric, start, end):
            if not self.faults.is_gap(at):
                by_period.setdefault(int(at // period), []).append(value)
        for number, values in by_period.items():
            yield float(number * period), float(statistic_of(statistic, values))


def _rounded(start: float, now: float) -> float:
    """Down to the resolution of data of its age."""
    age = now - start
    unit = 60.0 if age < 15 * DAY else 300.0 if age < 63 * DAY else 3600.0
    return start // unit * unit


def statistic_of(name: str, values: list[float]) -> float:
    """A statistic of values that are not empty; percentiles by the nearest rank."""
    if percentile := PERCENTILE.fullmatch(name):
        ordered = sorted(values)
        rank = math.ceil(float(percentile[1]) / 100 * len(ordered))
        return ordered[max(0, rank - 1)]
    return STATISTICS[name](values)


def _page(results: list[Result], size: int) -> tuple[list[Request], list[Result]]:
    """As much as fits on a page, and what is left for the next ones."""
    shown: list[Request] = []
    room = size
    for number, result in enumerate(results):
        if len(result.points) <= room:
            room -= len(result.points)
            shown.append(result.page(result.points, is_last=True))
            continue
        rest = Result(
            id=result.id, label=result.label, points=result.points[room:], status=result.status,
            messages=result.messages,
        )  # fmt: skip
        shown.append(result.page(result.points[:room], is_last=False))
        return shown, [rest, *results[number + 1 :]]
    return shown, []


def _checked(request: Request) -> list[Request]:
    """The queries, if the request keeps the rules that the service model does not state."""
    queries: list[Request] = request["MetricDataQueries"]
    if "LabelOptions" in request:
        raise _wrong("The stand-in has no LabelOptions.")
    if not queries:
        raise invalid("The collection MetricDataQueries must not be empty.")
    if len(queries) > MOST_QUERIES:
        raise invalid(f"The collection MetricDataQueries must not have a size greater than {MOST_QUERIES}.")
    for name in ("StartTime", "EndTime"):
        if not isinstance(request[name], int | float):
            raise invalid(f"The parameter {name} must be a time.")
    if request["StartTime"] >= request["EndTime"]:
        raise invalid("The parameter StartTime must be less than the parameter EndTime.")
    if not 1 <= request.get("MaxDatapoints", MOST_POINTS) <= MOST_POINTS:
        raise invalid(f"The parameter MaxDatapoints must be between 1 and {MOST_POINTS}.")
    ids = [query["Id"] for query in queries]
    if len(set(ids)) < len(ids):
        raise invalid("The values for parameter Id in MetricDataQueries must be unique.")
    for query in queries:
        _check(query)
    return queries


def _check(query: Request) -> None:
    if not ID.fullmatch(query["Id"]):
        raise invalid(f"The value {query['Id']} for parameter Id must begin with a lower-case letter.")
    if ("MetricStat" in query) == ("Expression" in query):
        raise invalid("A query needs either MetricStat or Expression.")
    if "Expression" in query or "AccountId" in query:
        raise _wrong("The stand-in has neither metric math nor other accounts.")
    stat = query["MetricStat"]
    for member in LACKING:
        if member in stat:
            raise _wrong(f"The stand-in's queries have no {member}.")
    for member in ("Namespace", "MetricName"):
        if member not in stat["Metric"]:
            raise AwsError("MissingParameter", f"The parameter {member} is required.")
    if "Period" in query or stat["Period"] < 60 or stat["Period"] % 60:
        # SageMaker's metrics have a resolution of a minute.
        raise invalid("The parameter Period must be a multiple of 60.")
    percentile = PERCENTILE.fullmatch(stat["Stat"])
    if stat["Stat"] not in STATISTICS and (percentile is None or float(percentile[1]) > 100):
        raise _wrong(f"The value {stat['Stat']} for parameter Stat is not supported.")


def _wrong(message: str) -> AwsError:
    return AwsError("InvalidParameterValue", message)
