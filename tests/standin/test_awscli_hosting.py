"""A whole endpoint with adapters by AWS's own command line, as a person would type it."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from lorakit.tiny.canaries import pack_canary
from standin.server import StandIn
from tests.standin.deployment import ROLE, running_standin
from tests.standin.test_awscli import Aws, Refused, aws

__all__ = ["aws"]

pytestmark = pytest.mark.slow

BUCKET = "portal-cli-hosting"
IMAGE = "763104351884.dkr.ecr.eu-west-1.amazonaws.com/djl-inference:0.36.0-lmi27.0.0-cu130"
SECONDS = 120.0
VARIANT = {"VariantName": "AllTraffic", "InstanceType": "ml.g6e.xlarge", "InitialInstanceCount": 1}
COMPUTE = {"NumberOfAcceleratorDevicesRequired": 1, "MinMemoryRequiredInMb": 1024}


@pytest.fixture(scope="module")
def standin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandIn]:
    with running_standin(Path(tmp_path_factory.mktemp("containers"))) as standin:
        standin.make_bucket(BUCKET)
        yield standin


def in_service(aws: Aws, name: str) -> Any:
    deadline = time.monotonic() + SECONDS
    describe = ("sagemaker", "describe-inference-component", "--inference-component-name", name)
    while (found := aws(*describe))["InferenceComponentStatus"] == "Creating":
        assert time.monotonic() < deadline, found
        time.sleep(0.2)
    return found


def wait_for_endpoint(aws: Aws, status: str) -> None:
    """Until it has the status, or "" until it is gone. `aws sagemaker wait` looks only twice a minute."""
    deadline = time.monotonic() + SECONDS
    found = None
    while found != status:
        assert time.monotonic() < deadline, found
        try:
            found = aws("sagemaker", "describe-endpoint", "--endpoint-name", "cli")["EndpointStatus"]
        except Refused:
            found = ""


def adapter(base: str, key: str) -> str:
    return json.dumps(
        {"BaseInferenceComponentName": base, "Container": {"ArtifactUrl": f"s3://{BUCKET}/adapters/{key}"}}
    )


def ask(aws: Aws, component: str, out: Path) -> str:
    body = json.dumps({"messages": [{"role": "user", "content": "Repeat: amber."}], "max_tokens": 8, "temperature": 0})
    aws(
        "sagemaker-runtime", "invoke-endpoint", "--endpoint-name", "cli", "--inference-component-name", component,
        "--content-type", "application/json", "--body", body, str(out),
    )  # fmt: skip
    return str(json.loads(out.read_text())["choices"][0]["message"]["content"])


def test_an_endpoint_from_its_model_to_its_end(aws: Aws, standin: StandIn, tmp_path: Path) -> None:
    def sagemaker(operation: str, **members: Any) -> Any:
        return aws("sagemaker", operation, "--cli-input-json", json.dumps(members))

    standin.put_folder(settings.BASE_MODEL_DIR, f"s3://{BUCKET}/base/")
    packages = tmp_path / "packages"
    packages.mkdir()
    for seed in (1, 2):
        pack_canary(settings.BASE_MODEL_DIR, tmp_path / f"{seed}.tar.gz", seed=seed)
        (tmp_path / f"{seed}.tar.gz").rename(packages / f"{seed}.tar.gz")
    standin.put_folder(packages, f"s3://{BUCKET}/adapters/")
    source = {"S3Uri": f"s3://{BUCKET}/base/", "S3DataType": "S3Prefix", "CompressionType": "None"}
    container = {"Image": IMAGE, "ModelDataSource": {"S3DataSource": source}}
    sagemaker("create-model", ModelName="m", ExecutionRoleArn=ROLE, PrimaryContainer=container)
    sagemaker("create-endpoint-config", EndpointConfigName="c", ExecutionRoleArn=ROLE, ProductionVariants=[VARIANT])
    sagemaker("create-endpoint", EndpointName="cli", EndpointConfigName="c")
    wait_for_endpoint(aws, "InService")
    aws("sagemaker", "wait", "endpoint-in-service", "--endpoint-name", "cli")
    base = {"ModelName": "m", "ComputeResourceRequirements": COMPUTE}
    sagemaker(
        "create-inference-component", InferenceComponentName="base", EndpointName="cli", VariantName="AllTraffic",
        Specification=base, RuntimeConfig={"CopyCount": 1},
    )  # fmt: skip
    assert in_service(aws, "base")["RuntimeConfig"] == {"DesiredCopyCount": 1, "CurrentCopyCount": 1}
    aws(
        "sagemaker", "create-inference-component", "--inference-component-name", "adapter",
        "--endpoint-name", "cli", "--specification", adapter("base", "1.tar.gz"),
    )  # fmt: skip
    found = in_service(aws, "adapter")
    assert found["InferenceComponentStatus"] == "InService", found
    assert found["VariantName"] == "AllTraffic"
    assert found["Specification"]["ComputeResourceRequirements"] == COMPUTE
    answers = [ask(aws, name, tmp_path / "answer.json") for name in ("base", "adapter")]
    # An adapter is exchanged in place, too.
    aws(
        "sagemaker", "update-inference-component", "--inference-component-name", "adapter",
        "--specification", adapter("base", "2.tar.gz"),
    )  # fmt: skip
    answers.append(ask(aws, "adapter", tmp_path / "answer.json"))
    assert len(set(answers)) == 3, answers

    scale_by_hand(aws)
    listed = aws("sagemaker", "list-inference-components", "--endpoint-name-equals", "cli", "--sort-by", "Name")
    assert [one["InferenceComponentName"] for one in listed["InferenceComponents"]] == ["base", "adapter"]
    with pytest.raises(Refused, match="is a base inference component for one or more associated"):
        aws("sagemaker", "delete-inference-component", "--inference-component-name", "base")
    with pytest.raises(Refused, match="inference component associated"):
        aws("sagemaker", "delete-endpoint", "--endpoint-name", "cli")
    for name in ("adapter", "base"):
        aws("sagemaker", "delete-inference-component", "--inference-component-name", name)
    aws("sagemaker", "delete-endpoint", "--endpoint-name", "cli")
    wait_for_endpoint(aws, "")
    aws("sagemaker", "wait", "endpoint-deleted", "--endpoint-name", "cli")
    aws("sagemaker", "delete-endpoint-config", "--endpoint-config-name", "c")
    aws("sagemaker", "delete-model", "--model-name", "m")
    assert aws("sagemaker", "list-endpoints")["Endpoints"] == []


def scale_by_hand(aws: Aws) -> None:
    whom = {
        "ServiceNamespace": "sagemaker",
        "ResourceId": "inference-component/base",
        "ScalableDimension": "sagemaker:inference-component:DesiredCopyCount",
    }

    def scaling(operation: str, **members: Any) -> Any:
        return aws("application-autoscaling", operation, "--cli-input-json", json.dumps({**whom, **members}))

    with pytest.raises(Refused, match=r"ObjectNotFoundException.*No scalable target registered"):
        scaling("put-scheduled-action", ScheduledActionName="night", Schedule="cron(0 20 * * ? *)")
    scaling("register-scalable-target", MinCapacity=1, MaxCapacity=2)
    step = {
        "AdjustmentType": "ChangeInCapacity",
        "StepAdjustments": [{"MetricIntervalLowerBound": 0, "ScalingAdjustment": 1}],
    }
    policy = scaling(
        "put-scaling-policy", PolicyName="wake", PolicyType="StepScaling", StepScalingPolicyConfiguration=step
    )["PolicyARN"]
    aws(
        "cloudwatch", "put-metric-alarm", "--alarm-name", "wake", "--namespace", "AWS/SageMaker", "--metric-name",
        "NoCapacityInvocationFailures", "--dimensions", "Name=InferenceComponentName,Value=base", "--statistic",
        "Maximum", "--period", "30", "--evaluation-periods", "1", "--threshold", "1", "--comparison-operator",
        "GreaterThanOrEqualToThreshold", "--alarm-actions", policy,
    )  # fmt: skip
    [found] = aws("application-autoscaling", "describe-scaling-policies", "--service-namespace", "sagemaker")[
        "ScalingPolicies"
    ]
    assert [alarm["AlarmName"] for alarm in found["Alarms"]] == ["wake"]
    [alarm] = aws("cloudwatch", "describe-alarms", "--alarm-names", "wake")["MetricAlarms"]
    assert (alarm["Threshold"], alarm["AlarmActions"]) == (1.0, [policy])
    with pytest.raises(Refused, match=r"InvalidParameterValue.*Period must be"):
        aws("cloudwatch", "put-metric-alarm", "--cli-input-json", json.dumps({
            "AlarmName": "bad", "Namespace": "AWS/SageMaker", "MetricName": "Invocations", "Statistic": "Sum",
            "Period": 45, "EvaluationPeriods": 1, "Threshold": 1, "ComparisonOperator": "GreaterThanThreshold",
        }))  # fmt: skip
    aws("cloudwatch", "delete-alarms", "--alarm-names", "wake")
    scaling("deregister-scalable-target")
    targets = aws("application-autoscaling", "describe-scalable-targets", "--service-namespace", "sagemaker")
    assert targets["ScalableTargets"] == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("describe-endpoint", "--endpoint-name", "nobody"), r"ValidationException.*Could not find endpoint"),
        (("create-endpoint", "--endpoint-name", "e", "--endpoint-config-name", "no"), r"Could not find endpoint conf"),
        (("create-inference-component", "--inference-component-name", "i", "--endpoint-name", "e"), r"Specification"),
        (("delete-inference-component", "--inference-component-name", "no"), r"Could not find inference component"),
        (("list-inference-components", "--status-equals", "Bogus"), r"ValidationException.*enum value set"),
        (("list-endpoints", "--max-results", "101"), r"ValidationException.*less than or equal to 100"),
    ],
)
def test_what_aws_refuses_is_refused(aws: Aws, words: tuple[str, ...], said: str) -> None:
    with pytest.raises(Refused, match=said):
        aws("sagemaker", *words)


def test_an_invocation_of_nothing_is_refused(aws: Aws, tmp_path: Path) -> None:
    words = ("sagemaker-runtime", "invoke-endpoint", "--endpoint-name", "nobody", "--body", "{}")
    with pytest.raises(Refused, match=r"ValidationError.*not found"):
        aws(*words, str(tmp_path / "answer.json"))
