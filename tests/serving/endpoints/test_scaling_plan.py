"""What a plan says of scaling and alarms: which cannot work, and that the CloudFormation template says the same."""

from pathlib import Path
from typing import Any

import pytest
from cfnlint.decode import cfn_yaml
from django.conf import settings

from serving.backends.sagemaker.alarms import EndpointAlarms
from serving.backends.sagemaker.plan import Plan
from serving.backends.sagemaker.scaling import CopyScaling
from tests.serving.sagemaker_endpoint import IMAGE
from tests.standin.deployment import ROLE

TOPIC = "arn:aws:sns:eu-west-1:123456789012:alarms"
DAY = {"name": "day", "cron": "0 8 ? * MON-FRI *", "least_copies": 2, "most_copies": 4}
NIGHT = {"name": "night", "cron": "0 20 ? * MON-FRI *", "least_copies": 0, "most_copies": 1}


def plan(**changes: Any) -> Plan:
    good = {"endpoint": "e", "base_component": "e-base", "role_arn": ROLE, "image": IMAGE, "model_uri": "s3://b/m/"}
    return Plan(**{**good, **changes})


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"copies": 2}, "LEAST_COPIES, COPIES and MOST_COPIES"),
        ({"least_copies": 2}, "LEAST_COPIES, COPIES and MOST_COPIES"),
        ({"least_copies": -1}, "LEAST_COPIES, COPIES and MOST_COPIES"),
        ({"least_copies": 0, "copies": 0, "most_copies": 0}, "MOST_COPIES must be at least 1"),
        ({"least_copies": 0}, "LEAST_INSTANCES must be 0"),
        ({"schedule": [NIGHT]}, "LEAST_INSTANCES must be 0"),
        ({"concurrency_target": 0.0}, "CONCURRENCY_TARGET"),
        ({"scale_in_seconds": -1}, "SCALE_IN_SECONDS"),
        ({"scale_out_seconds": -1}, "SCALE_OUT_SECONDS"),
        ({"schedule_time_zone": "Mars/Olympus"}, "SCHEDULE_TIME_ZONE"),
        ({"schedule_time_zone": "../etc/passwd"}, "SCHEDULE_TIME_ZONE"),
        ({"alarm_topic": "me@example.com"}, "ALARM_TOPIC"),
        ({"alarm_p95_seconds": -1.0}, "ALARM_P95_SECONDS"),
        ({"alarm_p95_seconds": 60.1}, "ALARM_P95_SECONDS"),
        ({"alarm_p95_seconds": float("nan")}, "ALARM_P95_SECONDS"),
        ({"alarm_gpu_memory_percent": 100.0}, "ALARM_GPU_MEMORY_PERCENT"),
        ({"alarm_gpu_memory_percent": -0.1}, "ALARM_GPU_MEMORY_PERCENT"),
        ({"alarm_topic": "arn:aws:sqs:eu-west-1:123456789012:alarms"}, "ALARM_TOPIC"),
        ({"metrics_seconds": 45}, "METRICS_SECONDS must be one of 10, 30"),
        ({"schedule": DAY}, "SCHEDULE must be a list"),
        ({"schedule": ["day"]}, r"SCHEDULE\[0\] must have exactly these members"),
        ({"schedule": [DAY, {**DAY, "zone": "UTC"}]}, r"SCHEDULE\[1\] must have exactly these members"),
        ({"schedule": [{**DAY, "name": "a:b"}]}, r"SCHEDULE\[0\].name must be"),
        ({"schedule": [DAY, DAY]}, r"SCHEDULE\[1\].name is taken: day"),
        ({"schedule": [{**DAY, "cron": "0 8 * * 1-5"}]}, r"SCHEDULE\[0\].cron must have six fields"),
        ({"schedule": [{**DAY, "cron": "0 8 * * * *"}]}, r"SCHEDULE\[0\].cron must have \? as the day"),
        ({"schedule": [{**DAY, "least_copies": 5}]}, r"SCHEDULE\[0\].least_copies and most_copies"),
        ({"schedule": [{**DAY, "least_copies": True}]}, r"SCHEDULE\[0\].least_copies and most_copies"),
    ],
)
def test_a_plan_that_cannot_scale_says_which_setting_is_wrong(changes: dict[str, Any], said: str) -> None:
    plan(schedule=[DAY]).check()
    with pytest.raises(ValueError, match=said):
        plan(**changes).check()


def test_metrics_of_the_endpoint_are_asked_for_only_where_they_differ_from_aws_s() -> None:
    assert "MetricsConfig" not in plan().config("c")
    wanted = plan(enhanced_metrics=True, metrics_seconds=10).config("c")["MetricsConfig"]
    assert wanted == {"EnableEnhancedMetrics": True, "MetricPublishFrequencyInSeconds": 10}


def test_the_cloudformation_template_has_the_same_policy_and_alarms() -> None:
    template: Any = cfn_yaml.load(str(Path(settings.BASE_DIR) / "deploy" / "aws" / "portal.yaml"))
    resources = {name: found["Properties"] for name, found in template["Resources"].items() if "Properties" in found}
    ours = plan(most_copies=2, most_instances=2, alarm_topic=TOPIC)
    settings_of = "TargetTrackingScalingPolicyConfiguration"
    assert resources["FollowLoad"][settings_of] == CopyScaling(None, ours).follow_load()[settings_of]
    alarms = EndpointAlarms(None, ours)
    for name, made in (
        ("ErrorAlarm", alarms.errors()),
        ("CapacityAlarm", alarms.no_capacity()),
        ("LatencyAlarm", alarms.latency()),
    ):
        theirs = {**resources[name], "AlarmActions": [TOPIC]}
        # Names and the endpoint's own are parameters there.
        assert [one["Name"] for one in theirs.pop("Dimensions")] == [one["Name"] for one in made["Dimensions"]]
        assert theirs == {key: made[key] for key in theirs}
        assert set(made) - set(theirs) == {"AlarmName", "Dimensions", "Tags"}


def test_where_a_copy_takes_minutes_to_start_the_alarm_waits_as_long() -> None:
    zero = plan(least_copies=0, least_instances=0, startup_seconds=600)
    assert EndpointAlarms(None, zero).no_capacity()["EvaluationPeriods"] == 10
    assert EndpointAlarms(None, plan()).no_capacity()["EvaluationPeriods"] == 1


@pytest.mark.parametrize(
    ("changes", "scales", "wakes"),
    [
        ({}, False, False),
        ({"most_copies": 2}, True, False),
        ({"least_copies": 0, "least_instances": 0}, True, True),
        ({"schedule": [DAY]}, True, False),
        ({"schedule": [DAY, NIGHT], "least_instances": 0}, True, True),
        # Nothing wakes an endpoint that is turned off.
        ({"schedule": [DAY, {**NIGHT, "most_copies": 0}], "least_instances": 0}, True, False),
    ],
)
def test_whether_a_plan_scales_and_wakes(changes: dict[str, Any], scales: bool, wakes: bool) -> None:
    found = plan(**changes)
    found.check()
    assert (found.scales, found.wakes) == (scales, wakes)
