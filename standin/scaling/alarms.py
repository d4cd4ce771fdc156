"""Operations on CloudWatch's alarms. Of their actions, only those of Application Auto Scaling have an effect."""

from collections.abc import Callable, Iterator
from typing import Any

from standin.cloudwatch.data import PERCENTILE, STATISTICS
from standin.cloudwatch.metrics import Metrics
from standin.errors import AwsError
from standin.scaling.alarm import COMPARISONS, Alarm

Request = dict[str, Any]
Act = Callable[[str, float, float], None]
"""Follows an alarm's action: the ARN of what it calls, how far the metric is above the threshold, and Unix seconds."""

DAY, WEEK, HOUR = 86_400, 604_800, 3_600
TOLD = (
    "AlarmName", "AlarmDescription", "OKActions", "AlarmActions", "InsufficientDataActions", "MetricName", "Namespace",
    "Statistic", "ExtendedStatistic", "Dimensions", "Period", "Unit", "EvaluationPeriods", "DatapointsToAlarm",
    "Threshold", "ComparisonOperator", "TreatMissingData",
)  # fmt: skip
LACKING = (
    "Metrics", "EvaluationCriteria", "EvaluateLowSampleCountPercentile", "ThresholdMetricId", "EvaluationWindow"
)  # fmt: skip


class Alarms:
    """Alarms by name."""

    def __init__(self, arn: str, metrics: Metrics, act: Act) -> None:
        self._arn = arn
        self._metrics = metrics
        self._act = act
        self.by_name: dict[str, Alarm] = {}
        self.operations = {
            "PutMetricAlarm": self.put,
            "DescribeAlarms": self.describe,
            "DeleteAlarms": self.delete,
        }

    def advance(self, now: float) -> None:
        """Look at every period that has ended, and act where there is an alarm."""
        for alarm in list(self.by_name.values()):
            for at, beyond in alarm.advance(now, self._metrics):
                for action in alarm.actions:
                    self._act(action, beyond, at)

    def put(self, request: Request, now: float) -> Request:
        _check(request)
        name, period = request["AlarmName"], int(now // request["Period"])
        known = self.by_name.get(name)
        self.by_name[name] = Alarm(
            arn=self.arn_of(name), request=request, updated_at=now, evaluated=period, state_at=now
        )
        if known is not None:
            # A change leaves the state, and overwrites everything else.
            self.by_name[name].state, self.by_name[name].state_at = known.state, known.state_at
        return {}

    def describe(self, request: Request, now: float) -> Request:
        if "AlarmNames" in request and "AlarmNamePrefix" in request:
            raise AwsError("InvalidParameterCombination", "AlarmNames and AlarmNamePrefix cannot be used together.")
        if "MetricAlarm" not in request.get("AlarmTypes", ["MetricAlarm"]):
            return {"MetricAlarms": [], "CompositeAlarms": []}
        found = list(self._found(request))
        token, size = request.get("NextToken", "0"), request.get("MaxRecords", 50)
        if not token.isdecimal():
            raise AwsError("InvalidNextToken", "Invalid NextToken.")
        start = int(token)
        answer: Request = {"MetricAlarms": [_told(alarm) for alarm in found[start : start + size]]}
        return answer | ({"NextToken": str(start + size)} if start + size < len(found) else {})

    def delete(self, request: Request, now: float) -> Request:
        # Names that do not exist are passed over.
        for name in request["AlarmNames"]:
            self.by_name.pop(name, None)
        return {}

    def arn_of(self, name: str) -> str:
        return f"{self._arn}:alarm:{name}"

    def _found(self, request: Request) -> Iterator[Alarm]:
        for name, alarm in sorted(self.by_name.items()):
            if (
                name in request.get("AlarmNames", [name])
                and name.startswith(request.get("AlarmNamePrefix", ""))
                and alarm.state == request.get("StateValue", alarm.state)
                and any(one.startswith(request.get("ActionPrefix", "")) for one in [*alarm.actions, ""])
            ):
                yield alarm


def _told(alarm: Alarm) -> Request:
    return {
        **{name: alarm.request[name] for name in TOLD if name in alarm.request},
        "AlarmArn": alarm.arn,
        "ActionsEnabled": alarm.request.get("ActionsEnabled", True),
        "StateValue": alarm.state,
        "StateUpdatedTimestamp": alarm.state_at,
        "StateTransitionedTimestamp": alarm.state_at,
        "AlarmConfigurationUpdatedTimestamp": alarm.updated_at,
    }


def _check(request: Request) -> None:
    """Rules of an alarm that the service model does not state."""
    for member in LACKING:
        if member in request:
            raise _wrong(f"The stand-in's alarms watch one metric by a statistic, and have no {member}.")
    for member in ("Namespace", "MetricName", "Period", "EvaluationPeriods", "Threshold"):
        if member not in request:
            raise AwsError("MissingParameter", f"The parameter {member} is required.")
    period, count = request["Period"], request["EvaluationPeriods"]
    if period not in {10, 20, 30} and period % 60:
        raise _wrong("Period must be 10, 20, 30 or a multiple of 60.")
    if period * count > (WEEK if period >= HOUR else DAY):
        raise _wrong("Metrics cannot be checked across more than a day, or a week for periods of an hour or more.")
    if request.get("DatapointsToAlarm", 1) > count:
        raise _wrong("DatapointsToAlarm must be less than or equal to EvaluationPeriods.")
    if request.get("TreatMissingData", "missing") not in {"breaching", "notBreaching", "ignore", "missing"}:
        raise _wrong("TreatMissingData must be breaching, notBreaching, ignore or missing.")
    if request["ComparisonOperator"] not in COMPARISONS:
        raise _wrong("The stand-in's alarms compare a statistic with a fixed Threshold.")
    _check_statistic(request)
    for kind in ("OKActions", "AlarmActions", "InsufficientDataActions"):
        for action in request.get(kind, ()):
            if not action.startswith("arn:"):
                raise _wrong(f"Invalid action: {action}.")


def _check_statistic(request: Request) -> None:
    if ("Statistic" in request) == ("ExtendedStatistic" in request):
        raise AwsError("InvalidParameterCombination", "An alarm needs either Statistic or ExtendedStatistic.")
    if "Statistic" in request:
        if request["Statistic"] not in STATISTICS:
            raise _wrong(f"The value {request['Statistic']} for parameter Statistic is not supported.")
        return
    percentile = PERCENTILE.fullmatch(request["ExtendedStatistic"])
    if percentile is None or float(percentile[1]) > 100:
        raise _wrong(f"The value {request['ExtendedStatistic']} for parameter ExtendedStatistic is not supported.")


def _wrong(message: str) -> AwsError:
    return AwsError("InvalidParameterValue", message)
