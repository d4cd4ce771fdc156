"""AWS's stand-in is as strict as AWS: what botocore would let through, it refuses."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import httpx
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from standin.server import REGION, StandIn
from tests.standin.deployment import IMAGE, ROLE, running_standin

GOOD: dict[str, Any] = {
    "TrainingJobName": "a-job",
    "AlgorithmSpecification": {
        "TrainingImage": IMAGE,
        "TrainingInputMode": "File",
        "ContainerEntrypoint": ["/bin/bash"],
        "ContainerArguments": ["-c", "echo done > /opt/ml/model/done"],
    },
    "RoleArn": ROLE,
    "OutputDataConfig": {"S3OutputPath": "s3://portal-standin/output"},
    "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 10},
    "StoppingCondition": {"MaxRuntimeInSeconds": 60},
}


@pytest.fixture(scope="module")
def standin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandIn]:
    with running_standin(Path(tmp_path_factory.mktemp("containers"))) as standin:
        standin.make_bucket("portal-standin")
        yield standin


@pytest.fixture(scope="module")
def aws(standin: StandIn) -> Any:
    """A client that leaves every check to the service."""
    make: Any = boto3.client
    careless = Config(parameter_validation=False, retries={"total_max_attempts": 1})
    return make("sagemaker", endpoint_url=standin.url, region_name=REGION, config=careless)


def refusal(aws: Any, request: dict[str, Any]) -> tuple[str, str]:
    with pytest.raises(ClientError) as refused:
        aws.create_training_job(**request)
    error = refused.value.response["Error"]
    return error["Code"], error["Message"]


@pytest.mark.parametrize(
    ("member", "value", "constraint"),
    [
        ("TrainingJobName", "x" * 64, "less than or equal to 63"),
        ("TrainingJobName", "under_score", "regular expression"),
        ("RoleArn", "arn:aws:iam::1:role/x", "regular expression"),
        ("ResourceConfig", {**GOOD["ResourceConfig"], "InstanceType": "ml.none"}, "enum"),
        ("ResourceConfig", {**GOOD["ResourceConfig"], "InstanceCount": "one"}, "must be a integer"),
        ("StoppingCondition", {"MaxRuntimeInSeconds": 0}, "greater than or equal to 1"),
        ("HyperParameters", {"note": "x" * 2501}, "less than or equal to 2500"),
        ("Environment", {"A": "x" * 513}, "less than or equal to 512"),
        ("Tags", [{"Key": "a"}], "must not be null"),
        ("EnableManagedSpotTraining", True, "MaxWaitTimeInSeconds is needed"),
        ("AlgorithmSpecification", {"TrainingInputMode": "File"}, "exactly one of TrainingImage"),
    ],
)
def test_a_request_that_breaks_a_rule_is_refused(aws: Any, member: str, value: Any, constraint: str) -> None:
    code, message = refusal(aws, {**GOOD, member: value})
    assert code == "ValidationException"
    assert constraint in message


def test_a_member_that_aws_does_not_know_is_refused(standin: StandIn) -> None:
    # botocore cannot even send one.
    headers = {
        "X-Amz-Target": "SageMaker.CreateTrainingJob",
        "Authorization": f"AWS4-HMAC-SHA256 Credential=test/20260101/{REGION}/sagemaker/aws4_request",
    }
    answer = httpx.post(standin.url, json={**GOOD, "Surprise": "value"}, headers=headers)
    assert answer.status_code == 400
    assert "'Surprise' is not a member" in answer.json()["message"]


def test_a_name_is_taken_once_and_for_all(aws: Any, standin: StandIn) -> None:
    aws.create_training_job(**GOOD)
    assert refusal(aws, GOOD)[0] == "ResourceInUse"
    assert standin.training.created["a-job"] == 1


def test_jobs_are_listed_page_by_page(aws: Any) -> None:
    for number in range(3):
        aws.create_training_job(**{**GOOD, "TrainingJobName": f"listed-{number}"})
    pages = aws.get_paginator("list_training_jobs").paginate(
        NameContains="listed-", SortBy="Name", SortOrder="Ascending", PaginationConfig={"PageSize": 2}
    )
    found = [[job["TrainingJobName"] for job in page["TrainingJobSummaries"]] for page in pages]
    assert found == [["listed-0", "listed-1"], ["listed-2"]]


def test_a_job_that_is_not_there_is_told_as_aws_tells_it(aws: Any) -> None:
    with pytest.raises(ClientError, match="Requested resource not found"):
        aws.describe_training_job(TrainingJobName="nobody")


def test_an_input_that_is_not_there_fails_the_job(aws: Any) -> None:
    source = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://portal-standin/nothing/"}}
    channels = [{"ChannelName": "train", "DataSource": source}]
    aws.create_training_job(**{**GOOD, "TrainingJobName": "no-input", "InputDataConfig": channels})
    job = aws.describe_training_job(TrainingJobName="no-input")
    assert job["TrainingJobStatus"] == "Failed"
    assert "Data download failed" in job["FailureReason"]
