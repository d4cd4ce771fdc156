"""The stand-in's recommendation jobs: as strict as the service model and AWS's documentation, in its shapes."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError
from django.conf import settings

from standin.hosting.endpoints import HostingTiming
from standin.objects import client
from standin.server import REGION, StandIn
from standin.validation import service_model, violations
from tests.standin.deployment import ROLE, running_standin

pytestmark = pytest.mark.slow

BUCKET = "recommendations"
BASE = f"s3://{BUCKET}/base/"
ADAPTERS = f"s3://{BUCKET}/adapters"
WORKLOAD = {"benchmark": {"type": "aiperf"}, "parameters": {"prompt_input_tokens_mean": 550, "concurrency": 8}}


@pytest.fixture(scope="module")
def standin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandIn]:
    with running_standin(tmp_path_factory.mktemp("aws"), hosting_timing=HostingTiming()) as standin:
        standin.make_bucket(BUCKET)
        s3 = client("s3", standin.url, REGION)

        def put(key: str, content: bytes) -> None:
            s3.put_object(Bucket=BUCKET, Key=key, Body=content)

        put("base/config.json", (settings.BASE_MODEL_DIR / "config.json").read_bytes())
        for name, rank in (("four", 4), ("twelve", 12), ("huge", 600)):
            put(f"adapters/{name}/adapter_config.json", json.dumps({"r": rank}).encode())
            put(f"adapters/{name}/adapter_model.safetensors", b"weights")
        yield standin


@pytest.fixture
def sagemaker(standin: StandIn) -> Any:
    standin.hosting.recommendations.jobs.clear()
    standin.hosting.recommendations.workloads.clear()
    return client("sagemaker", standin.url, REGION)


def make_workload(sagemaker: Any, name: str = "traffic", document: Any = WORKLOAD) -> None:
    text = document if isinstance(document, str) else json.dumps(document)
    sagemaker.create_ai_workload_config(AIWorkloadConfigName=name, AIWorkloadConfigs={"WorkloadSpec": {"Inline": text}})


def job(**changes: Any) -> dict[str, Any]:
    request = {
        "AIRecommendationJobName": "which",
        "ModelSource": {"S3": {"S3Uri": BASE}},
        "OutputConfig": {"S3OutputLocation": f"s3://{BUCKET}/output/"},
        "AIWorkloadConfigIdentifier": "traffic",
        "PerformanceTarget": {"Constraints": [{"Metric": "cost"}]},
        "RoleArn": ROLE,
        "AdapterSource": {"S3Uris": [entry("four"), entry("twelve")]},
    }
    return {name: value for name, value in {**request, **changes}.items() if value is not None}


def entry(name: str) -> dict[str, str]:
    return {"AdapterId": name, "S3Uri": f"{ADAPTERS}/{name}/"}


def described(standin: StandIn, name: str = "which") -> dict[str, Any]:
    request = {"AIRecommendationJobName": name}
    return standin.hosting.handle("DescribeAIRecommendationJob", request)


def test_a_job_recommends_what_fits_in_the_service_s_shape(standin: StandIn, sagemaker: Any) -> None:
    make_workload(sagemaker)
    sagemaker.create_ai_recommendation_job(**job())
    found = sagemaker.describe_ai_recommendation_job(AIRecommendationJobName="which")
    assert found["AIRecommendationJobStatus"] == "Completed"
    first = found["Recommendations"][0]
    assert first["DeploymentConfiguration"]["InstanceType"] == "ml.g6.xlarge"
    # Ranks of 4 and 12 are served at 16.
    assert first["DeploymentConfiguration"]["EnvironmentVariables"]["SM_VLLM_MAX_LORA_RANK"] == "16"
    assert [one["AdapterId"] for one in first["AdapterDetails"]["ModelPackageArns"]] == ["four", "twelve"]
    assert float(first["ExpectedPerformance"][0]["Value"]) > 0
    shape = service_model().operation_model("DescribeAIRecommendationJob").output_shape
    assert shape is not None
    told = {name: value for name, value in described(standin).items() if not name.endswith("Time")}
    assert [one for one in violations(shape, told, "") if "Time'" not in one] == []


@pytest.mark.parametrize(("goal", "first"), [("cost", "ml.g6.xlarge"), ("throughput", "ml.p5.4xlarge")])
def test_the_goal_decides_the_order(sagemaker: Any, goal: str, first: str) -> None:
    make_workload(sagemaker)
    sagemaker.create_ai_recommendation_job(**job(PerformanceTarget={"Constraints": [{"Metric": goal}]}))
    found = sagemaker.describe_ai_recommendation_job(AIRecommendationJobName="which")
    assert found["Recommendations"][0]["DeploymentConfiguration"]["InstanceType"] == first


def test_a_job_takes_its_time_and_can_be_stopped(standin: StandIn, sagemaker: Any) -> None:
    make_workload(sagemaker)
    standin.hosting.recommendations.seconds = 3600.0
    try:
        sagemaker.create_ai_recommendation_job(**job())
    finally:
        standin.hosting.recommendations.seconds = 0.0
    found = sagemaker.describe_ai_recommendation_job(AIRecommendationJobName="which")
    assert found["AIRecommendationJobStatus"] == "InProgress"
    assert "Recommendations" not in found
    [listed] = sagemaker.list_ai_recommendation_jobs(StatusEquals="InProgress")["AIRecommendationJobs"]
    assert listed["AIRecommendationJobName"] == "which"
    with pytest.raises(sagemaker.exceptions.ResourceInUse):
        sagemaker.delete_ai_recommendation_job(AIRecommendationJobName="which")
    sagemaker.stop_ai_recommendation_job(AIRecommendationJobName="which")
    standin.hosting.recommendations.jobs["which"].settles_at = 0.0
    found = sagemaker.describe_ai_recommendation_job(AIRecommendationJobName="which")
    assert found["AIRecommendationJobStatus"] == "Stopped"
    sagemaker.delete_ai_recommendation_job(AIRecommendationJobName="which")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"AdapterSource": {"S3Uris": [entry("huge")]}}, "must be from 1 to 512"),
        ({"AdapterSource": {"S3Uris": [entry("nowhere")]}}, "needs adapter_config.json"),
        ({"ModelSource": {"S3": {"S3Uri": f"s3://{BUCKET}/nothing/"}}}, "no model in Hugging Face"),
    ],
)
def test_what_only_the_job_finds_out_makes_it_fail(sagemaker: Any, changes: dict[str, Any], reason: str) -> None:
    make_workload(sagemaker)
    sagemaker.create_ai_recommendation_job(**job(**changes))
    found = sagemaker.describe_ai_recommendation_job(AIRecommendationJobName="which")
    assert found["AIRecommendationJobStatus"] == "Failed"
    assert reason in found["FailureReason"]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"AIWorkloadConfigIdentifier": "other"}, "ResourceNotFound"),
        ({"AdapterSource": {"S3Uris": [entry("four"), entry("four")]}}, "ValidationException"),
        ({"AdapterSource": {"S3Uris": [{"AdapterId": "a_b", "S3Uri": BASE}]}}, "ValidationException"),
        ({"AdapterSource": {"S3Uris": [entry(f"a{place}") for place in range(11)]}}, "ValidationException"),
        ({"ComputeSpec": {"InstanceTypes": ["ml.c5.large"]}}, "ValidationException"),
        ({"PerformanceTarget": {"Constraints": [{"Metric": "latency"}]}}, "ValidationException"),
        ({"OutputConfig": {}}, "ValidationException"),
        ({"RoleArn": "arn:aws:iam::1:role/short"}, "ValidationException"),
    ],
)
def test_requests_that_aws_refuses_are_refused(sagemaker: Any, changes: dict[str, Any], code: str) -> None:
    make_workload(sagemaker)
    with pytest.raises(ClientError) as caught:
        sagemaker.create_ai_recommendation_job(**job(**changes))
    assert caught.value.response["Error"]["Code"] == code


@pytest.mark.parametrize(
    "document",
    [
        "no JSON",
        {"benchmark": {"type": "wrk"}},
        {"benchmark": {"type": "aiperf"}, "other": 1},
        {"benchmark": {"type": "aiperf"}, "parameters": {"tokens": 1}},
    ],
)
def test_unknown_keys_of_a_workload_are_refused(sagemaker: Any, document: Any) -> None:
    with pytest.raises(ClientError) as caught:
        make_workload(sagemaker, document=document)
    assert caught.value.response["Error"]["Code"] == "ValidationException"


def test_names_are_taken_and_missing_as_in_aws(sagemaker: Any) -> None:
    make_workload(sagemaker)
    with pytest.raises(sagemaker.exceptions.ResourceInUse):
        make_workload(sagemaker)
    sagemaker.create_ai_recommendation_job(**job())
    with pytest.raises(sagemaker.exceptions.ResourceInUse):
        sagemaker.create_ai_recommendation_job(**job())
    with pytest.raises(sagemaker.exceptions.ResourceNotFound):
        sagemaker.describe_ai_recommendation_job(AIRecommendationJobName="other")
    found = sagemaker.describe_ai_workload_config(AIWorkloadConfigName="traffic")
    assert json.loads(found["AIWorkloadConfigs"]["WorkloadSpec"]["Inline"]) == WORKLOAD
    sagemaker.delete_ai_workload_config(AIWorkloadConfigName="traffic")
    with pytest.raises(sagemaker.exceptions.ResourceNotFound):
        sagemaker.delete_ai_workload_config(AIWorkloadConfigName="traffic")
