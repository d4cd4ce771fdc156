"""The stand-in's GetMetricData keeps AWS's rules; boto3 asks."""

import datetime as dt
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from standin.clock import ManualClock
from standin.cloudwatch.published import OF_COMPONENTS
from standin.faults import MetricFaults
from standin.server import REGION, StandIn
from tests.standin.deployment import running_standin

DAY = 86_400.0
DIMENSIONS = [{"Name": "InferenceComponentName", "Value": "one"}]


@pytest.fixture(scope="module")
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture(scope="module")
def server(clock: ManualClock, tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandIn]:
    with running_standin(tmp_path_factory.mktemp("metrics"), clock=clock) as standin:
        yield standin


@pytest.fixture
def standin(server: StandIn, clock: ManualClock) -> StandIn:
    """At a full minute, long after what other tests have published."""
    clock.advance(500 * DAY + 60 - clock.now() % 60)
    server.hosting.metric_data.faults = MetricFaults()
    return server


@pytest.fixture
def cloudwatch(standin: StandIn) -> Any:
    """A client that leaves every check to the service."""
    make: Any = boto3.client
    config = Config(parameter_validation=False, retries={"total_max_attempts": 1})
    return make("cloudwatch", endpoint_url=standin.url, region_name=REGION, config=config)


def query(name: str = "Invocations", stat: str = "Sum", **changes: Any) -> dict[str, Any]:
    metric = {"Namespace": "AWS/SageMaker", "MetricName": name, "Dimensions": DIMENSIONS}
    return {"Id": "q", "MetricStat": {"Metric": metric, "Period": 60, "Stat": stat}, **changes}


def asked(clock: ManualClock, *queries: dict[str, Any], back: float = 3600.0, **changes: Any) -> dict[str, Any]:
    now = clock.now()
    return {
        "MetricDataQueries": list(queries),
        "StartTime": dt.datetime.fromtimestamp(now - back, dt.UTC),
        "EndTime": dt.datetime.fromtimestamp(now + 60, dt.UTC),
        "ScanBy": "TimestampAscending",
        **changes,
    }


def values(cloudwatch: Any, clock: ManualClock, query: dict[str, Any], **changes: Any) -> list[float]:
    [result] = cloudwatch.get_metric_data(**asked(clock, query, **changes))["MetricDataResults"]
    assert result["StatusCode"] == "Complete"
    found: list[float] = result["Values"]
    return found


def publish(standin: StandIn, **of: float) -> None:
    standin.hosting.publish(of, InferenceComponentName="one")


def test_points_come_a_minute_late_and_periods_without_any_are_gaps(
    standin: StandIn, cloudwatch: Any, clock: ManualClock
) -> None:
    publish(standin, Invocations=1.0)
    publish(standin, Invocations=1.0)
    assert values(cloudwatch, clock, query()) == []
    clock.advance(60)
    assert values(cloudwatch, clock, query()) == []
    clock.advance(120)
    publish(standin, Invocations=1.0)
    clock.advance(61)
    [result] = cloudwatch.get_metric_data(**asked(clock, query()))["MetricDataResults"]
    assert result["Values"] == [2.0, 1.0]
    first, second = result["Timestamps"]
    assert (second - first, first.second) == (dt.timedelta(minutes=3), 0)
    latest = cloudwatch.get_metric_data(**asked(clock, query(), ScanBy="TimestampDescending"))
    assert latest["MetricDataResults"][0]["Values"] == [1.0, 2.0]


def test_statistics_are_those_that_a_metric_offers(standin: StandIn, cloudwatch: Any, clock: ManualClock) -> None:
    for number in range(1, 101):
        publish(standin, ModelLatency=float(number), OverheadLatency=float(number), Invocation4XXErrors=number % 2)
    clock.advance(120)
    found = {
        stat: values(cloudwatch, clock, query("ModelLatency", stat))
        for stat in ("Average", "Sum", "Minimum", "Maximum", "SampleCount", "p50", "p99", "p99.9")
    }
    assert found == {
        "Average": [50.5], "Sum": [5050.0], "Minimum": [1.0], "Maximum": [100.0], "SampleCount": [100.0],
        "p50": [50.0], "p99": [99.0], "p99.9": [100.0],
    }  # fmt: skip
    assert values(cloudwatch, clock, query("OverheadLatency", "Average")) == [50.5]
    assert values(cloudwatch, clock, query("OverheadLatency", "p95")) == []
    assert values(cloudwatch, clock, query("Invocation4XXErrors", "Average")) == [0.5]
    assert values(cloudwatch, clock, query("Invocation4XXErrors", "Maximum")) == []


def test_namespace_name_and_dimensions_have_to_be_exact(standin: StandIn, cloudwatch: Any, clock: ManualClock) -> None:
    publish(standin, Invocations=1.0)
    standin.hosting.publish({"Invocations": 5.0}, EndpointName="ep", VariantName="AllTraffic")
    clock.advance(120)
    assert values(cloudwatch, clock, query()) == [1.0]
    parts: tuple[dict[str, Any], ...] = (
        {"Namespace": OF_COMPONENTS},
        {"MetricName": "invocations"},
        {"Dimensions": []},
        {"Dimensions": [{"Name": "InferenceComponentName", "Value": "One"}]},
        {"Dimensions": [*DIMENSIONS, {"Name": "EndpointName", "Value": "ep"}]},
        {"Dimensions": [{"Name": "EndpointName", "Value": "ep"}]},
    )
    for part in parts:
        other = query()
        other["MetricStat"]["Metric"] |= part
        assert values(cloudwatch, clock, other) == [], part


def test_nothing_is_published_that_sagemaker_lacks(standin: StandIn) -> None:
    for name, dimensions in (("FirstChunkLatency", {"InferenceComponentName": "one"}), ("Latency", {})):
        with pytest.raises(ValueError, match="has no metric"):
            standin.hosting.publish({name: 1.0}, **dimensions)


@pytest.mark.parametrize(("period", "days"), [(60, 15), (300, 63), (3600, 455)])
def test_short_periods_end_where_their_points_do(
    standin: StandIn, cloudwatch: Any, clock: ManualClock, period: int, days: int
) -> None:
    publish(standin, Invocations=1.0)
    one = query()
    one["MetricStat"]["Period"] = period
    clock.advance((days - 1) * DAY)
    assert values(cloudwatch, clock, one, back=500 * DAY) == [1.0]
    clock.advance(2 * DAY)
    assert values(cloudwatch, clock, one, back=500 * DAY) == []


def test_pages_end_in_the_middle_of_a_metric(standin: StandIn, cloudwatch: Any, clock: ManualClock) -> None:
    for _ in range(5):
        publish(standin, Invocations=1.0, ModelLatency=7.0)
        clock.advance(60)
    clock.advance(60)
    request = asked(clock, query(Id="a"), query("ModelLatency", "p50", Id="b"), MaxDatapoints=3)
    first = cloudwatch.get_metric_data(**request)
    assert [(one["Id"], one["StatusCode"], len(one["Values"])) for one in first["MetricDataResults"]] == [
        ("a", "PartialData", 3)
    ]
    second = cloudwatch.get_metric_data(**request, NextToken=first["NextToken"])
    assert [(one["Id"], one["StatusCode"], len(one["Values"])) for one in second["MetricDataResults"]] == [
        ("a", "Complete", 2), ("b", "PartialData", 1)
    ]  # fmt: skip
    again = cloudwatch.get_metric_data(**request, NextToken=first["NextToken"])
    assert again["MetricDataResults"] == second["MetricDataResults"]
    third = cloudwatch.get_metric_data(**request, NextToken=second["NextToken"])
    assert "NextToken" in third
    fourth = cloudwatch.get_metric_data(**request, NextToken=third["NextToken"])
    assert [(one["StatusCode"], len(one["Values"])) for one in fourth["MetricDataResults"]] == [("Complete", 1)]
    assert "NextToken" not in fourth
    other = asked(clock, query(Id="a"), MaxDatapoints=3)
    for token, request_of in (("nonsense", request), (first["NextToken"], other)):
        with pytest.raises(ClientError) as error:
            cloudwatch.get_metric_data(**request_of, NextToken=token)
        assert error.value.response["Error"]["Code"] == "InvalidNextToken"
        assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400


def test_faults_are_told_by_metric(standin: StandIn, cloudwatch: Any, clock: ManualClock) -> None:
    publish(standin, Invocations=1.0, ModelLatency=7.0)
    clock.advance(600)
    publish(standin, Invocations=1.0)
    clock.advance(120)
    faults = standin.hosting.metric_data.faults
    faults.forbidden, faults.internal_errors = {"Invocations"}, {"ModelLatency": 1}
    request = asked(clock, query(Id="a"), query("ModelLatency", "p50", Id="b"))
    found = [one["StatusCode"] for one in cloudwatch.get_metric_data(**request)["MetricDataResults"]]
    assert found == ["Forbidden", "InternalError"]
    faults.forbidden = set()
    found = [one["StatusCode"] for one in cloudwatch.get_metric_data(**request)["MetricDataResults"]]
    assert found == ["Complete", "Complete"]
    faults.gaps = [(clock.now() - 300, clock.now())]
    assert values(cloudwatch, clock, query()) == [1.0]


def test_it_is_throttled_like_any_service(standin: StandIn, cloudwatch: Any, clock: ManualClock) -> None:
    standin.faults.throttled = 1.0
    try:
        with pytest.raises(ClientError) as error:
            cloudwatch.get_metric_data(**asked(clock, query()))
    finally:
        standin.faults.throttled = 0.0
    assert error.value.response["Error"]["Code"] == "ThrottlingException"


def stat(**changes: Any) -> dict[str, Any]:
    one = query()
    one["MetricStat"] |= changes
    return one


@pytest.mark.parametrize(
    ("queries", "changes", "code"),
    [
        ([], {}, "ValidationError"),
        ([query(Id=f"q{number}") for number in range(501)], {}, "ValidationError"),
        ([query(), query()], {}, "ValidationError"),
        ([query(Id="Q")], {}, "ValidationError"),
        ([query(Id="1a")], {}, "ValidationError"),
        ([{"Id": "q"}], {}, "ValidationError"),
        ([query(Expression="q2 * 2")], {}, "ValidationError"),
        ([{"Id": "q", "Expression": "q2 * 2"}], {}, "InvalidParameterValue"),
        ([stat(Period=30)], {}, "ValidationError"),
        ([stat(Period=90)], {}, "ValidationError"),
        ([stat(Stat="p101")], {}, "InvalidParameterValue"),
        ([stat(Stat="average")], {}, "InvalidParameterValue"),
        ([stat(Unit="Count")], {}, "InvalidParameterValue"),
        ([stat(Metric={"MetricName": "Invocations"})], {}, "MissingParameter"),
        ([query()], {"ScanBy": "Ascending"}, "ValidationError"),
        ([query()], {"MaxDatapoints": 100_801}, "ValidationError"),
        ([query()], {"EndTime": dt.datetime(2020, 1, 1, tzinfo=dt.UTC)}, "ValidationError"),
    ],
)
def test_a_request_that_breaks_a_rule_is_refused(
    cloudwatch: Any, clock: ManualClock, queries: list[dict[str, Any]], changes: dict[str, Any], code: str
) -> None:
    with pytest.raises(ClientError) as error:
        cloudwatch.get_metric_data(**asked(clock, *queries, **changes))
    assert error.value.response["Error"]["Code"] == code
    assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
