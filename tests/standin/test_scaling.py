"""The stand-in scales bases by ranges, schedules and alarms, and is as strict as AWS about them; boto3 asks."""

import datetime as dt
from collections.abc import Callable, Iterator
from typing import Any
from zoneinfo import ZoneInfo

import boto3
import httpx
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from django.conf import settings

from standin.clock import ManualClock
from standin.objects import client
from standin.scaling.schedule import parse
from standin.server import REGION, StandIn
from tests.serving.sagemaker_endpoint import BUCKET, IMAGE, MODEL_URI
from tests.standin.deployment import ROLE, running_standin
from tests.standin.ready_engine import engines_ready
from tests.standin.test_hosting import CONFIG, base_of, invoke, refused

WHOM = {
    "ServiceNamespace": "sagemaker",
    "ResourceId": "inference-component/base",
    "ScalableDimension": "sagemaker:inference-component:DesiredCopyCount",
}
METRIC = {"PredefinedMetricType": "SageMakerInferenceComponentConcurrentRequestsPerCopyHighResolution"}
TRACKING = {"TargetValue": 5.0, "PredefinedMetricSpecification": METRIC}
STEP = {
    "AdjustmentType": "ChangeInCapacity",
    "Cooldown": 60,
    "StepAdjustments": [{"MetricIntervalLowerBound": 0.0, "ScalingAdjustment": 1}],
}
ALARM: dict[str, Any] = {
    "AlarmName": "wake",
    "Namespace": "AWS/SageMaker",
    "MetricName": "NoCapacityInvocationFailures",
    "Dimensions": [{"Name": "InferenceComponentName", "Value": "base"}],
    "Statistic": "Maximum",
    "Period": 30,
    "EvaluationPeriods": 1,
    "Threshold": 1.0,
    "ComparisonOperator": "GreaterThanOrEqualToThreshold",
}


@pytest.fixture(scope="module")
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture(scope="module")
def server(clock: ManualClock, tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandIn]:
    """With an endpoint and its base."""
    with engines_ready(), running_standin(tmp_path_factory.mktemp("scaling"), clock=clock) as standin:
        standin.make_bucket(BUCKET)
        standin.put_folder(settings.BASE_MODEL_DIR, MODEL_URI)
        source = {"S3Uri": MODEL_URI, "S3DataType": "S3Prefix", "CompressionType": "None"}
        aws = client("sagemaker", standin.url, REGION)
        container = {"Image": IMAGE, "ModelDataSource": {"S3DataSource": source}}
        aws.create_model(ModelName="m", ExecutionRoleArn=ROLE, PrimaryContainer=container)
        aws.create_endpoint_config(**CONFIG)
        aws.create_endpoint(EndpointName="ep", EndpointConfigName="c")
        aws.describe_endpoint(EndpointName="ep")
        aws.create_inference_component(**base_of("ep"))
        yield standin


@pytest.fixture
def standin(server: StandIn, clock: ManualClock) -> StandIn:
    """Its base has one copy, in service, and nothing scales it; what earlier tests published is long ago."""
    server.hosting.scaling.targets.clear()
    server.hosting.alarms.by_name.clear()
    clock.advance(7200)
    aws = client("sagemaker", server.url, REGION)
    aws.describe_inference_component(InferenceComponentName="base")
    aws.update_inference_component_runtime_config(InferenceComponentName="base", DesiredRuntimeConfig={"CopyCount": 1})
    return server


@pytest.fixture
def scaling(standin: StandIn) -> Any:
    """A client that leaves every check to the service."""
    return careless("application-autoscaling", standin)


@pytest.fixture
def cloudwatch(standin: StandIn) -> Any:
    return careless("cloudwatch", standin)


def careless(service: str, standin: StandIn) -> Any:
    make: Any = boto3.client
    config = Config(parameter_validation=False, retries={"total_max_attempts": 1})
    return make(service, endpoint_url=standin.url, region_name=REGION, config=config)


Copies = Callable[[], int]


@pytest.fixture
def copies(standin: StandIn) -> Copies:
    """The copies that are wanted now."""
    aws = client("sagemaker", standin.url, REGION)

    def wanted() -> int:
        # What is to change is changed by one request, and settles at the next.
        aws.describe_inference_component(InferenceComponentName="base")
        found: int = aws.describe_inference_component(InferenceComponentName="base")["RuntimeConfig"][
            "DesiredCopyCount"
        ]
        return found

    return wanted


def test_a_range_moves_the_copies_into_it(scaling: Any, copies: Copies) -> None:
    assert copies() == 1
    scaling.register_scalable_target(**WHOM, MinCapacity=2, MaxCapacity=4)
    assert copies() == 2
    scaling.register_scalable_target(**WHOM, MinCapacity=0)
    assert copies() == 2
    scaling.register_scalable_target(**WHOM, MaxCapacity=1)
    assert copies() == 1
    [target] = scaling.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"]
    assert (target["MinCapacity"], target["MaxCapacity"]) == (0, 1)
    assert isinstance(target["CreationTime"], dt.datetime)


def test_scheduled_actions_run_by_the_clock_of_their_zone(scaling: Any, copies: Copies, clock: ManualClock) -> None:
    zone = ZoneInfo("Asia/Kolkata")
    scaling.register_scalable_target(**WHOM, MinCapacity=1, MaxCapacity=1)

    def act(name: str, after: dt.timedelta, least: int, most: int) -> None:
        at = dt.datetime.fromtimestamp(clock.now(), zone) + after
        scaling.put_scheduled_action(
            **WHOM, ScheduledActionName=name, Schedule=f"cron({at.minute} {at.hour} * * ? *)", Timezone=zone.key,
            ScalableTargetAction={"MinCapacity": least, "MaxCapacity": most},
        )  # fmt: skip

    act("day", dt.timedelta(hours=1), 3, 5)
    act("night", dt.timedelta(hours=13), 0, 2)
    assert copies() == 1
    clock.advance(3600)
    assert copies() == 3
    clock.advance(12 * 3600)
    assert copies() == 2
    # Two days in one step end as they would by the minute.
    clock.advance(2 * 86_400)
    assert copies() == 2
    scaling.delete_scheduled_action(**WHOM, ScheduledActionName="day")
    scaling.register_scalable_target(**WHOM, SuspendedState={"ScheduledScalingSuspended": True}, MinCapacity=1)
    clock.advance(86_400)
    [target] = scaling.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"]
    assert target["MinCapacity"] == 1


@pytest.mark.parametrize(
    ("schedule", "zone", "moment", "due"),
    [
        ("cron(0 8 ? * MON-FRI *)", "UTC", "2026-11-27T08:00", True),
        ("cron(0 8 ? * MON-FRI *)", "UTC", "2026-11-28T08:00", False),
        ("cron(0 8 ? * MON-FRI *)", "Europe/Berlin", "2026-11-27T07:00", True),
        ("cron(0 8 ? * MON-FRI *)", "Europe/Berlin", "2026-07-27T06:00", True),
        ("cron(0/15 9-17 1,15 JAN ? 2026-2030)", "UTC", "2026-01-15T17:45", True),
        ("cron(0/15 9-17 1,15 JAN ? 2026-2030)", "UTC", "2026-01-15T17:46", False),
        ("cron(0 0 1 * ? 2027)", "UTC", "2026-12-01T00:00", False),
        ("cron(30 6 ? * 1 *)", "UTC", "2026-11-29T06:30", True),
        ("at(2026-11-27T08:00:30)", "UTC", "2026-11-27T08:00", True),
        ("at(2026-11-27T08:00:30)", "UTC", "2026-11-27T08:01", False),
    ],
)
def test_when_a_schedule_is_due(schedule: str, zone: str, moment: str, due: bool) -> None:
    at = dt.datetime.fromisoformat(moment).replace(tzinfo=dt.UTC).timestamp()
    assert parse(schedule, zone)(at) is due


def test_a_base_nobody_asks_drops_to_none_and_a_request_wakes_it(
    standin: StandIn, scaling: Any, cloudwatch: Any, copies: Copies, clock: ManualClock
) -> None:
    runtime = careless("sagemaker-runtime", standin)
    named = {"EndpointName": "ep", "InferenceComponentName": "base"}
    scaling.register_scalable_target(**WHOM, MinCapacity=0, MaxCapacity=3)
    put = scaling.put_scaling_policy
    put(
        **WHOM,
        PolicyName="follow",
        PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration=TRACKING,
    )
    policy = put(**WHOM, PolicyName="wake", PolicyType="StepScaling", StepScalingPolicyConfiguration=STEP)["PolicyARN"]
    cloudwatch.put_metric_alarm(**ALARM, AlarmActions=[policy])

    def state() -> str:
        found: str = cloudwatch.describe_alarms(AlarmNames=["wake"])["MetricAlarms"][0]["StateValue"]
        return found

    assert copies() == 1
    clock.advance(899)
    assert copies() == 1
    clock.advance(1)
    assert copies() == 0
    assert state() == "INSUFFICIENT_DATA"
    clock.advance(600)
    assert copies() == 0, "it does not wake by itself"
    assert refused(invoke(runtime), **named).startswith("ValidationError: Inference Component has no capacity")
    assert copies() == 0, "an alarm looks when its period is over"
    clock.advance(30)
    assert (copies(), state()) == (1, "ALARM")
    clock.advance(30)
    assert (copies(), state()) == (1, "INSUFFICIENT_DATA")


def test_requests_that_fail_while_a_copy_starts_start_no_more_before_the_cooldown(
    standin: StandIn, scaling: Any, cloudwatch: Any, copies: Copies, clock: ManualClock
) -> None:
    scaling.register_scalable_target(**WHOM, MinCapacity=0, MaxCapacity=3)
    policy = scaling.put_scaling_policy(
        **WHOM, PolicyName="wake", PolicyType="StepScaling", StepScalingPolicyConfiguration=STEP
    )["PolicyARN"]
    cloudwatch.put_metric_alarm(**ALARM, AlarmActions=[policy])
    found = []
    for _ in range(4):
        standin.hosting.count("NoCapacityInvocationFailures", InferenceComponentName="base")
        clock.advance(30)
        found.append(copies())
    assert found == [2, 2, 3, 3]


def test_target_tracking_has_alarms_of_its_own_which_go_with_it(scaling: Any, cloudwatch: Any) -> None:
    def alarms() -> int:
        return len(cloudwatch.describe_alarms(AlarmNamePrefix="TargetTracking-")["MetricAlarms"])

    scaling.register_scalable_target(**WHOM, MinCapacity=1, MaxCapacity=2)
    request = {
        **WHOM, "PolicyName": "follow", "PolicyType": "TargetTrackingScaling",
        "TargetTrackingScalingPolicyConfiguration": TRACKING,
    }  # fmt: skip
    first, second = scaling.put_scaling_policy(**request), scaling.put_scaling_policy(**request)
    assert (first["PolicyARN"], len(first["Alarms"]), alarms()) == (second["PolicyARN"], 2, 2)
    assert "Only one" in refused(scaling.put_scaling_policy, **{**request, "PolicyName": "other"})
    scaling.delete_scaling_policy(**WHOM, PolicyName="follow")
    assert alarms() == 0
    scaling.put_scaling_policy(**request)
    scaling.deregister_scalable_target(**WHOM)
    assert alarms() == 0
    assert scaling.describe_scaling_policies(ServiceNamespace="sagemaker")["ScalingPolicies"] == []


TRACK = {"PolicyName": "p", "PolicyType": "TargetTrackingScaling", "TargetTrackingScalingPolicyConfiguration": TRACKING}
ACTION = {
    "ScheduledActionName": "a",
    "Schedule": "cron(0 8 * * ? *)",
    "ScalableTargetAction": {"MinCapacity": 1, "MaxCapacity": 2},
}


@pytest.mark.parametrize(
    ("operation", "members", "said"),
    [
        ("register_scalable_target", {"MinCapacity": 1}, "ValidationException: MinCapacity and MaxCapacity"),
        ("register_scalable_target", {"MinCapacity": 3, "MaxCapacity": 2}, "ValidationException: Maximum capacity"),
        ("register_scalable_target", {"MinCapacity": "1", "MaxCapacity": 2}, "must be a integer"),
        ("register_scalable_target", {"ScalableDimension": "sagemaker:none"}, "enum value set"),
        ("register_scalable_target", {"ResourceId": "x" * 1601}, "less than or equal to 1600"),
        ("register_scalable_target", {"ResourceId": "service/other"}, "only scales inference components"),
        ("register_scalable_target", {"ResourceId": "inference-component/no"}, "Could not find inference component"),
        ("put_scaling_policy", TRACK, "ObjectNotFoundException: No scalable target registered"),
        ("put_scheduled_action", ACTION, "ObjectNotFoundException"),
        ("deregister_scalable_target", {}, "ObjectNotFoundException"),
        ("delete_scaling_policy", {"PolicyName": "p"}, "ObjectNotFoundException"),
        ("delete_scheduled_action", {"ScheduledActionName": "a"}, "ObjectNotFoundException"),
    ],
)
def test_what_autoscaling_refuses_without_a_target(
    scaling: Any, operation: str, members: dict[str, Any], said: str
) -> None:
    assert said in refused(getattr(scaling, operation), **{**WHOM, **members})


@pytest.mark.parametrize(
    ("operation", "members", "said"),
    [
        ("put_scaling_policy", {**TRACK, "PolicyName": "a\nb"}, "regular expression"),
        ("put_scaling_policy", {**TRACK, "PolicyType": "StepScaling"}, "needs StepScalingPolicyConfiguration"),
        ("put_scaling_policy", {**TRACK, "TargetTrackingScalingPolicyConfiguration": {}}, "must not be null"),
        (
            "put_scaling_policy",
            {**TRACK, "TargetTrackingScalingPolicyConfiguration": {"TargetValue": 1.0}},
            "exactly one of Predefined",
        ),
        ("put_scheduled_action", {**ACTION, "ScheduledActionName": "a:b"}, "regular expression"),
        ("put_scheduled_action", {**ACTION, "Schedule": "0 8 * * ? *"}, "not valid"),
        ("put_scheduled_action", {**ACTION, "Schedule": "cron(0 8 * * *)"}, "not valid"),
        ("put_scheduled_action", {**ACTION, "Schedule": "cron(0 8 * * * *)"}, "not valid"),
        ("put_scheduled_action", {**ACTION, "Schedule": "cron(60 8 * * ? *)"}, "not valid"),
        ("put_scheduled_action", {**ACTION, "Timezone": "Mars/Olympus"}, "time zone is not valid"),
        ("put_scheduled_action", {"ScheduledActionName": "a", "Schedule": "at(2026-01-01T00:00:00)"}, "are required"),
        ("delete_scaling_policy", {"PolicyName": "p"}, "ObjectNotFoundException: No scaling policy"),
        ("delete_scheduled_action", {"ScheduledActionName": "a"}, "ObjectNotFoundException: No scheduled action"),
        ("describe_scheduled_actions", {"NextToken": "x"}, "InvalidNextTokenException"),
    ],
)
def test_what_autoscaling_refuses_of_a_target(scaling: Any, operation: str, members: dict[str, Any], said: str) -> None:
    scaling.register_scalable_target(**WHOM, MinCapacity=1, MaxCapacity=2)
    assert said in refused(getattr(scaling, operation), **{**WHOM, **members})


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"Period": 45}, "InvalidParameterValue: Period must be"),
        ({"EvaluationPeriods": 2881}, "InvalidParameterValue: Metrics cannot be checked across more"),
        ({"DatapointsToAlarm": 2}, "InvalidParameterValue: DatapointsToAlarm"),
        ({"TreatMissingData": "forget"}, "InvalidParameterValue: TreatMissingData"),
        ({"AlarmActions": ["somebody"]}, "InvalidParameterValue: Invalid action"),
        ({"Statistic": "p95"}, "ValidationError: 1 validation error"),
        ({"ExtendedStatistic": "p95"}, "InvalidParameterCombination: An alarm needs either"),
        ({"Statistic": None}, "InvalidParameterCombination: An alarm needs either"),
        ({"Statistic": None, "ExtendedStatistic": "p101"}, "InvalidParameterValue: The value p101"),
        ({"Statistic": None, "ExtendedStatistic": "best"}, "InvalidParameterValue: The value best"),
        (
            {"Statistic": None, "ExtendedStatistic": "p95", "EvaluateLowSampleCountPercentile": "ignore"},
            "InvalidParameterValue: The stand-in's alarms",
        ),
        ({"AlarmName": "x" * 256}, "ValidationError: 1 validation error"),
        ({"Namespace": ":a"}, "ValidationError: 1 validation error"),
        ({"Namespace": None}, "MissingParameter: The parameter Namespace"),
        ({"EvaluationCriteria": {"PromQLCriteria": {"Query": "up"}}}, "InvalidParameterValue: The stand-in's alarms"),
    ],
)
def test_what_cloudwatch_refuses_of_an_alarm(cloudwatch: Any, changes: dict[str, Any], said: str) -> None:
    request = {name: value for name, value in {**ALARM, **changes}.items() if value is not None}
    assert refused(cloudwatch.put_metric_alarm, **request).startswith(said)
    assert cloudwatch.describe_alarms()["MetricAlarms"] == []


def test_an_alarm_counts_its_periods_and_says_when_it_is_over(
    standin: StandIn, cloudwatch: Any, clock: ManualClock
) -> None:
    request = {
        **ALARM, "Statistic": "Sum", "Period": 60, "EvaluationPeriods": 3, "DatapointsToAlarm": 2, "Threshold": 2.0,
        "TreatMissingData": "notBreaching",
    }  # fmt: skip
    # Points in the middle of periods, wherever the clock began.
    clock.advance(90 - clock.now() % 60)
    cloudwatch.put_metric_alarm(**request)

    def after(points: int) -> str:
        for _ in range(points):
            standin.hosting.count("NoCapacityInvocationFailures", InferenceComponentName="base")
        clock.advance(60)
        [alarm] = cloudwatch.describe_alarms(AlarmNames=["wake"])["MetricAlarms"]
        assert isinstance(alarm["StateUpdatedTimestamp"], dt.datetime)
        return str(alarm["StateValue"])

    assert [after(points) for points in (2, 1, 2, 0, 0)] == ["OK", "OK", "ALARM", "OK", "OK"]
    # A change leaves the state.
    after(2)
    assert after(2) == "ALARM"
    cloudwatch.put_metric_alarm(**{**request, "AlarmDescription": "changed"})
    [alarm] = cloudwatch.describe_alarms(StateValue="ALARM")["MetricAlarms"]
    assert alarm["AlarmDescription"] == "changed"
    cloudwatch.delete_alarms(AlarmNames=["wake", "nobody"])
    assert cloudwatch.describe_alarms()["MetricAlarms"] == []


def test_lists_come_in_pages(scaling: Any, cloudwatch: Any) -> None:
    scaling.register_scalable_target(**WHOM, MinCapacity=1, MaxCapacity=2)
    for number in range(5):
        cloudwatch.put_metric_alarm(**{**ALARM, "AlarmName": f"alarm-{number}"})
        scaling.put_scheduled_action(**WHOM, **{**ACTION, "ScheduledActionName": f"action-{number}"})
    pages = cloudwatch.get_paginator("describe_alarms").paginate(PaginationConfig={"PageSize": 2})
    assert [len(page["MetricAlarms"]) for page in pages] == [2, 2, 1]
    pages = scaling.get_paginator("describe_scheduled_actions").paginate(**WHOM, PaginationConfig={"PageSize": 2})
    assert [len(page["ScheduledActions"]) for page in pages] == [2, 2, 1]


@pytest.mark.parametrize("target", ["", "GraniteServiceVersion20100801.Nothing"])
def test_cloudwatch_without_json_or_with_an_unknown_operation_is_refused(standin: StandIn, target: str) -> None:
    headers = {
        "X-Amz-Target": target,
        "Authorization": f"AWS4-HMAC-SHA256 Credential=test/20260101/{REGION}/monitoring/aws4_request",
    }
    answer = httpx.post(standin.url, data={"Action": "PutMetricAlarm"}, headers=headers)
    assert (answer.status_code, answer.json()["__type"]) == (400, "UnknownOperationException")


def test_an_operation_the_stand_in_lacks_is_refused(scaling: Any) -> None:
    with pytest.raises(ClientError, match="UnknownOperationException"):
        scaling.describe_scaling_activities(ServiceNamespace="sagemaker")
