"""What CloudWatch says of invocations that the stand-in really served; boto3 asks."""

import datetime as dt
import json
import time
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config
from django.conf import settings

from lorakit.tiny.canaries import pack_canary
from standin.clock import ManualClock
from standin.errors import AwsError
from standin.faults import RuntimeFaults
from standin.objects import client
from standin.server import REGION, StandIn
from tests.serving.sagemaker_endpoint import BUCKET, IMAGE, MODEL_URI
from tests.standin.deployment import ROLE, running_standin
from tests.standin.test_hosting import CONFIG, adapter_of, base_of, invoke, refused

pytestmark = pytest.mark.slow

COMPONENT = "InferenceComponentName"


@pytest.fixture(scope="module")
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture(scope="module")
def standin(clock: ManualClock, tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandIn]:
    """With an endpoint, its base and the adapter `one`."""
    folder = tmp_path_factory.mktemp("published")
    with running_standin(folder, clock=clock) as standin:
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
        in_service(aws, "base")
        packed = folder / "one.tar.gz"
        pack_canary(settings.BASE_MODEL_DIR, packed, seed=1)
        client("s3", standin.url, REGION).put_object(Bucket=BUCKET, Key="one", Body=packed.read_bytes())
        aws.create_inference_component(**adapter_of("ep", "one", "one"))
        in_service(aws, "one")
        yield standin


def in_service(aws: Any, name: str) -> None:
    deadline = time.monotonic() + 120
    while aws.describe_inference_component(InferenceComponentName=name)["InferenceComponentStatus"] != "InService":
        assert time.monotonic() < deadline
        time.sleep(0.1)


@pytest.fixture
def runtime(standin: StandIn) -> Any:
    """A client that asks once, so that what is counted is what the test asked."""
    standin.runtime.faults = RuntimeFaults()
    make: Any = boto3.client
    config = Config(retries={"total_max_attempts": 1})
    return make("sagemaker-runtime", endpoint_url=standin.url, region_name=REGION, config=config)


@pytest.fixture
def told(standin: StandIn, clock: ManualClock) -> Any:
    """The values of a metric in the last hours, a minute from now; what was published before the test is long ago."""
    clock.advance(86_400)
    cloudwatch = client("cloudwatch", standin.url, REGION)

    def ask(name: str, stat: str = "Sum", namespace: str = "AWS/SageMaker", **dimensions: str) -> list[float]:
        clock.advance(120)
        now = dt.datetime.fromtimestamp(clock.now(), dt.UTC)
        metric = {
            "Namespace": namespace,
            "MetricName": name,
            "Dimensions": [{"Name": key, "Value": value} for key, value in dimensions.items()],
        }
        query = {"Id": "q", "MetricStat": {"Metric": metric, "Period": 3600, "Stat": stat}}
        answer = cloudwatch.get_metric_data(
            MetricDataQueries=[query], StartTime=now - dt.timedelta(hours=12), EndTime=now
        )
        values: list[float] = answer["MetricDataResults"][0]["Values"]
        return values

    return ask


WHOLE = {"EndpointName": "ep", "VariantName": "AllTraffic"}


def stream_of(runtime: Any) -> int:
    answer = runtime.invoke_endpoint_with_response_stream(
        EndpointName="ep", InferenceComponentName="one", ContentType="application/json",
        Body=json.dumps({"messages": [{"role": "user", "content": "Repeat: amber."}], "max_tokens": 4}),
    )  # fmt: skip
    return sum(1 for _ in answer["Body"])


def test_answers_are_counted_and_timed(runtime: Any, told: Any) -> None:
    for _ in range(3):
        invoke(runtime)(EndpointName="ep", InferenceComponentName="one")
    invoke(runtime)(EndpointName="ep", InferenceComponentName="base")
    assert sum(told("Invocations", **{COMPONENT: "one"})) == 3
    assert sum(told("Invocations", **{COMPONENT: "base"})) == 1
    assert sum(told("Invocations", **WHOLE)) == 4
    assert sum(told("Invocation4XXErrors", **{COMPONENT: "one"})) == 0
    [median], [least], [most] = (told("ModelLatency", stat, **{COMPONENT: "one"}) for stat in ("p50", "Minimum", "p99"))
    assert 0 < least <= median <= most
    [overhead] = told("OverheadLatency", "Average", **{COMPONENT: "one"})
    assert overhead >= 0
    assert told("ConcurrentRequestsPerCopy", "Maximum", **{COMPONENT: "base"}) == [1.0]
    assert sum(told("InvocationsPerCopy", **{COMPONENT: "base"})) == 4
    assert told("FirstChunkLatency", "p50", **WHOLE) == []


def test_a_stream_has_a_first_chunk_and_may_break(standin: StandIn, runtime: Any, told: Any) -> None:
    assert stream_of(runtime) > 0
    [first], [whole] = told("FirstChunkModelLatency", "p50", **WHOLE), told("ModelLatency", "p50", **WHOLE)
    assert 0 < first <= whole
    assert told("MidStreamErrors", **WHOLE) == [0.0]
    standin.runtime.faults = RuntimeFaults(breaks_after=1, cuts=True)
    stream_of(runtime)
    assert sum(told("MidStreamErrors", **WHOLE)) == 1
    assert sum(told("Invocations", **{COMPONENT: "one"})) == 2
    assert sum(told("Invocation5XXErrors", **{COMPONENT: "one"})) == 0


def test_errors_are_counted_by_whose_they_are(standin: StandIn, runtime: Any, told: Any) -> None:
    named = {"EndpointName": "ep", "InferenceComponentName": "one"}
    assert refused(runtime.invoke_endpoint, **named, Body=b"[]").startswith("ModelError")
    standin.runtime.faults = RuntimeFaults(error=AwsError("InternalFailure", "broken"))
    refused(invoke(runtime), **named)
    standin.runtime.faults = RuntimeFaults(error=AwsError("ThrottlingException", "Rate exceeded"))
    refused(invoke(runtime), **named)
    standin.runtime.faults = RuntimeFaults()
    refused(invoke(runtime), EndpointName="ep", InferenceComponentName="nobody")
    assert sum(told("Invocations", **{COMPONENT: "one"})) == 2
    assert sum(told("Invocation4XXErrors", **{COMPONENT: "one"})) == 1
    assert sum(told("InvocationModelErrors", **{COMPONENT: "one"})) == 1
    assert sum(told("Invocation5XXErrors", **{COMPONENT: "one"})) == 1
    assert sum(told("Invocations", **WHOLE)) == sum(told("Invocations", **{COMPONENT: "one"}))
    assert standin.hosting.running.total() == 0


def test_the_base_s_process_is_looked_at_every_minute(standin: StandIn, runtime: Any, told: Any) -> None:
    of_base = {"namespace": "/aws/sagemaker/InferenceComponents", COMPONENT: "base"}
    of_endpoint = {"namespace": "/aws/sagemaker/Endpoints", **WHOLE}
    told("Invocations", **WHOLE), told("Invocations", **WHOLE)
    [memory] = told("MemoryUtilizationNormalized", "Average", **of_base)[:1]
    [disk] = told("DiskUtilization", "Maximum", **of_endpoint)[:1]
    assert 0 < memory < 100
    assert 0 < disk <= 100
    assert told("GPUUtilizationNormalized", "Average", **of_base) == []
    assert told("GPUMemoryUtilization", "Average", **of_endpoint) == []
    series = standin.hosting.containers.series
    now = standin.hosting.now
    assert series.find("vllm:num_requests_waiting", {}, now - 3600, now)
    counted = series.find("vllm:time_to_first_token_seconds_count", {}, now - 3600, now)
    assert counted
    assert {dict(labels)["aws.sagemaker.inference_component.name"] for labels in counted} == {"base"}
