"""An alarm of CloudWatch on one metric."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from standin.cloudwatch.data import statistic_of
from standin.cloudwatch.metrics import Key, Metrics, key

Request = dict[str, Any]

COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "GreaterThanOrEqualToThreshold": lambda value, threshold: value >= threshold,
    "GreaterThanThreshold": lambda value, threshold: value > threshold,
    "LessThanOrEqualToThreshold": lambda value, threshold: value <= threshold,
    "LessThanThreshold": lambda value, threshold: value < threshold,
}


@dataclass(kw_only=True)
class Alarm:
    """An alarm as it was last put. `evaluated` is the number of the last period, since 1970, that it has looked at."""

    arn: str
    request: Request
    updated_at: float
    evaluated: int
    state: str = "INSUFFICIENT_DATA"
    state_at: float = 0.0

    @property
    def name(self) -> str:
        return str(self.request["AlarmName"])

    @property
    def statistic(self) -> str:
        """Of the values of a period: one with a name, or a percentile such as "p95"."""
        return str(self.request.get("Statistic") or self.request["ExtendedStatistic"])

    @property
    def actions(self) -> list[str]:
        """What it does when there is alarm."""
        return list(self.request.get("AlarmActions", ())) if self.request.get("ActionsEnabled", True) else []

    def advance(self, now: float, metrics: Metrics) -> Iterator[tuple[float, float]]:
        """Look at each period that has ended. Yields the time, and how far the metric is above the threshold, of each
        look that finds an alarm."""
        for number in self._ended(now, metrics):
            self.evaluated = number
            at = float(number * self.request["Period"])
            state, value = self._look(number, metrics)
            if state != self.state:
                self.state, self.state_at = state, at
            if state == "ALARM":
                yield at, value - self.request["Threshold"]

    def _ended(self, now: float, metrics: Metrics) -> list[int]:
        """The ends of periods worth a look: the last one, and those whose range has data."""
        period, last = self.request["Period"], int(now // self.request["Period"])
        numbers = {last} if last > self.evaluated else set()
        since = (self.evaluated - self.request["EvaluationPeriods"]) * period
        for at in metrics.times(self._metric, since):
            first = int(at // period) + 1
            numbers |= set(
                range(max(first, self.evaluated + 1), min(first + self.request["EvaluationPeriods"], last + 1))
            )
        return sorted(numbers)

    def _look(self, end: int, metrics: Metrics) -> tuple[str, float]:
        """The state after the periods before `end`, and the newest value that is beyond the threshold."""
        request, period = self.request, self.request["Period"]
        starts = [number * period for number in range(end - request["EvaluationPeriods"], end)]
        found = [metrics.values(self._metric, start, start + period) for start in starts]
        values = [statistic_of(self.statistic, points) for points in found if points]
        beyond = [one for one in values if COMPARISONS[request["ComparisonOperator"]](one, request["Threshold"])]
        missing, count = request.get("TreatMissingData", "missing"), len(beyond)
        if missing == "breaching":
            count += len(found) - len(values)
        if count >= (request.get("DatapointsToAlarm") or request["EvaluationPeriods"]):
            return "ALARM", beyond[-1] if beyond else request["Threshold"]
        if values or missing in {"breaching", "notBreaching"}:
            return "OK", 0.0
        return ("INSUFFICIENT_DATA" if missing == "missing" else self.state), 0.0

    @property
    def _metric(self) -> Key:
        dimensions = {one["Name"]: one["Value"] for one in self.request.get("Dimensions", ())}
        return key(self.request["Namespace"], self.request["MetricName"], dimensions)
