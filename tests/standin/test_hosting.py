"""The stand-in's endpoints keep AWS's rules; boto3 asks."""

import hashlib
import tarfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError, EventStreamError
from django.conf import settings

from lorakit.tiny.canaries import pack_canary
from standin.clock import ManualClock
from standin.errors import AwsError
from standin.faults import ComponentFaults, RuntimeFaults
from standin.hosting import event_stream
from standin.hosting.endpoints import HostingTiming
from standin.objects import client
from standin.server import REGION, StandIn
from tests.serving.sagemaker_endpoint import BUCKET, IMAGE, MODEL_URI
from tests.standin.deployment import ROLE, running_standin

VARIANT = {"VariantName": "AllTraffic", "InstanceType": "ml.g6e.xlarge", "InitialInstanceCount": 1}
CONFIG: dict[str, Any] = {"EndpointConfigName": "c", "ExecutionRoleArn": ROLE, "ProductionVariants": [VARIANT]}
COMPUTE = {"MinMemoryRequiredInMb": 1024, "NumberOfAcceleratorDevicesRequired": 1}
TIMING = HostingTiming(endpoint=240.0, base=360.0, adapter=120.0, deleting=60.0)


@pytest.fixture(scope="module")
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture(scope="module")
def standin(clock: ManualClock, tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandIn]:
    folder = tmp_path_factory.mktemp("hosting")
    with running_standin(folder, clock=clock, hosting_timing=TIMING) as standin:
        standin.make_bucket(BUCKET)
        standin.put_folder(settings.BASE_MODEL_DIR, MODEL_URI)
        yield standin


@pytest.fixture(scope="module")
def aws(standin: StandIn) -> Any:
    return client("sagemaker", standin.url, REGION)


@pytest.fixture(scope="module")
def runtime(standin: StandIn) -> Any:
    return client("sagemaker-runtime", standin.url, REGION)


def refused(call: Callable[..., Any], **members: Any) -> str:
    with pytest.raises(ClientError) as error:
        call(**members)
    return f"{error.value.response['Error']['Code']}: {error.value.response['Error']['Message']}"


def base_of(endpoint: str, **changes: Any) -> dict[str, Any]:
    return {
        "InferenceComponentName": "base",
        "EndpointName": endpoint,
        "VariantName": "AllTraffic",
        "Specification": {"ModelName": "m", "ComputeResourceRequirements": COMPUTE},
        "RuntimeConfig": {"CopyCount": 1},
        **changes,
    }


def adapter_of(endpoint: str, name: str, key: str, **changes: Any) -> dict[str, Any]:
    return {
        "InferenceComponentName": name,
        "EndpointName": endpoint,
        "Specification": {
            "BaseInferenceComponentName": "base",
            "Container": {"ArtifactUrl": f"s3://{BUCKET}/{key}"},
        },
        **changes,
    }


@pytest.fixture(scope="module")
def endpoint(aws: Any, clock: ManualClock) -> str:
    """An endpoint with a base in service."""
    source = {"S3Uri": MODEL_URI, "S3DataType": "S3Prefix", "CompressionType": "None"}
    container = {"Image": IMAGE, "ModelDataSource": {"S3DataSource": source}}
    aws.create_model(ModelName="m", ExecutionRoleArn=ROLE, PrimaryContainer=container)
    aws.create_endpoint_config(**CONFIG)
    aws.create_endpoint(EndpointName="ep", EndpointConfigName="c")
    clock.advance(TIMING.endpoint)
    aws.create_inference_component(**base_of("ep"))
    clock.advance(TIMING.base)
    deadline = time.monotonic() + 120
    while aws.describe_inference_component(InferenceComponentName="base")["InferenceComponentStatus"] != "InService":
        assert time.monotonic() < deadline
        time.sleep(0.1)
    return "ep"


def gone(aws: Any, clock: ManualClock, name: str) -> None:
    aws.delete_inference_component(InferenceComponentName=name)
    clock.advance(TIMING.deleting)


def test_an_event_streams_frames_are_aws_s() -> None:
    chunk = event_stream.part(b"hi")
    assert (len(chunk), chunk[:12].hex(), chunk[-6:].hex()) == (107, "0000006b0000005999777065", "68697dde0062")
    assert hashlib.sha256(chunk).hexdigest().startswith("c456ec47")
    fault = event_stream.fault("ModelStreamError", "m", "ModelInvocationTimeExceeded")
    assert (len(fault), hashlib.sha256(fault).hexdigest()[:8]) == (167, "d2d307d4")


def test_an_endpoint_takes_its_time_and_may_find_no_machine(aws: Any, standin: StandIn, clock: ManualClock) -> None:
    def status() -> str:
        found: str = aws.describe_endpoint(EndpointName="slow")["EndpointStatus"]
        return found

    aws.create_endpoint_config(**{**CONFIG, "EndpointConfigName": "slow"})
    aws.create_endpoint(EndpointName="slow", EndpointConfigName="slow")
    assert status() == "Creating"
    assert "already existing" in refused(aws.create_endpoint, EndpointName="slow", EndpointConfigName="slow")
    assert "in-progress" in refused(aws.delete_endpoint, EndpointName="slow")
    clock.advance(TIMING.endpoint)
    assert status() == "InService"
    # A change that finds no machine leaves the endpoint in service, with the reason.
    aws.create_endpoint_config(**{**CONFIG, "EndpointConfigName": "larger"})
    aws.update_endpoint(EndpointName="slow", EndpointConfigName="larger")
    assert status() == "Updating"
    standin.hosting.endpoints.has_capacity = False
    clock.advance(TIMING.endpoint)
    found = aws.describe_endpoint(EndpointName="slow")
    standin.hosting.endpoints.has_capacity = True
    assert (found["EndpointStatus"], found["EndpointConfigName"]) == ("InService", "slow")
    assert "InsufficientInstanceCapacity" in found["FailureReason"]
    aws.delete_endpoint(EndpointName="slow")
    assert status() == "Deleting"
    clock.advance(TIMING.deleting)
    assert "Could not find endpoint" in refused(aws.describe_endpoint, EndpointName="slow")


def test_a_quota_is_kept(aws: Any, standin: StandIn, clock: ManualClock) -> None:
    aws.create_endpoint_config(**{**CONFIG, "EndpointConfigName": "quota"})
    standin.hosting.endpoints.limits["ml.g6e.xlarge"] = 0
    said = refused(aws.create_endpoint, EndpointName="quota", EndpointConfigName="quota")
    del standin.hosting.endpoints.limits["ml.g6e.xlarge"]
    assert said.startswith("ResourceLimitExceeded")


@pytest.mark.slow
def test_what_makes_a_base_and_an_adapter(aws: Any, endpoint: str) -> None:
    create = aws.create_inference_component
    assert "VariantName is required" in refused(create, **without(base_of(endpoint), "VariantName", name="b2"))
    assert "Specification is required" in refused(create, InferenceComponentName="x", EndpointName=endpoint)
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"VariantName": "AllTraffic"}, "VariantName cannot be specified"),
        ({"RuntimeConfig": {"CopyCount": 1}}, "RuntimeConfig cannot be specified"),
    ]
    for changes, said in wrong:
        assert said in refused(create, **adapter_of(endpoint, "x", "1.tar.gz", **changes))
    request = adapter_of(endpoint, "x", "1.tar.gz")
    for member, value in (("ComputeResourceRequirements", COMPUTE), ("ModelName", "m")):
        changed = {**request["Specification"], member: value}
        assert "cannot be specified" in refused(create, **{**request, "Specification": changed})
    nowhere = {**request["Specification"], "BaseInferenceComponentName": "nobody"}
    assert "Could not find inference component" in refused(create, **{**request, "Specification": nowhere})
    assert "already existing" in refused(create, **base_of(endpoint))


def without(request: dict[str, Any], member: str, *, name: str) -> dict[str, Any]:
    return {key: value for key, value in request.items() if key != member} | {"InferenceComponentName": name}


@pytest.mark.slow
def test_an_adapter_is_looked_at_before_it_is_in_service(
    aws: Any, runtime: Any, standin: StandIn, endpoint: str, clock: ManualClock, tmp_path: Path
) -> None:
    good = tmp_path / "good.tar.gz"
    pack_canary(settings.BASE_MODEL_DIR, good, seed=3)
    with tarfile.open(tmp_path / "deep.tar.gz", "w:gz") as tar:
        tar.add(good, arcname="folder/adapter.tar.gz")
    (tmp_path / "broken.tar.gz").write_bytes(b"no archive")
    s3 = client("s3", standin.url, REGION)
    for path in tmp_path.glob("*.tar.gz"):
        s3.put_object(Bucket=BUCKET, Key=path.name, Body=path.read_bytes())
    reasons = {
        "nothing.tar.gz": "does not exist",
        "broken.tar.gz": "Failed to extract",
        "deep.tar.gz": "adapter_config.json was not found",
    }
    for key in (*reasons, "good.tar.gz"):
        aws.create_inference_component(**adapter_of(endpoint, key.split(".")[0], key))
    assert aws.describe_endpoint(EndpointName=endpoint)["EndpointStatus"] == "Updating"
    assert "in-progress" in refused(aws.update_endpoint, EndpointName=endpoint, EndpointConfigName="c")
    assert "CREATE_IN_PROGRESS" in refused(aws.delete_inference_component, InferenceComponentName="good")
    said = refused(invoke(runtime), EndpointName=endpoint, InferenceComponentName="good")
    assert "no capacity" in said
    clock.advance(TIMING.adapter)
    for key, reason in reasons.items():
        found = aws.describe_inference_component(InferenceComponentName=key.split(".")[0])
        assert found["InferenceComponentStatus"] == "Failed"
        assert reason in found["FailureReason"]
    assert aws.describe_inference_component(InferenceComponentName="good")["InferenceComponentStatus"] == "InService"
    assert aws.describe_endpoint(EndpointName=endpoint)["EndpointStatus"] == "InService"
    assert "one or more associated" in refused(aws.delete_inference_component, InferenceComponentName="base")
    for key in (*reasons, "good.tar.gz"):
        gone(aws, clock, key.split(".")[0])
    # Lazily, the first who asks learns of it.
    standin.hosting.components.is_lazy = True
    aws.create_inference_component(**adapter_of(endpoint, "lazy", "deep.tar.gz"))
    standin.hosting.components.is_lazy = False
    clock.advance(TIMING.adapter)
    assert "ModelError" in refused(invoke(runtime), EndpointName=endpoint, InferenceComponentName="lazy")
    gone(aws, clock, "lazy")


def invoke(runtime: Any) -> Callable[..., Any]:
    body = b'{"messages": [{"role": "user", "content": "Hi"}], "max_tokens": 4, "temperature": 0}'

    def call(**members: Any) -> Any:
        return runtime.invoke_endpoint(ContentType="application/json", Body=body, **members)

    return call


@pytest.mark.slow
def test_adapters_may_fail_stick_be_refused_and_vanish(
    aws: Any, standin: StandIn, endpoint: str, clock: ManualClock, tmp_path: Path
) -> None:
    pack_canary(settings.BASE_MODEL_DIR, tmp_path / "a.tar.gz", seed=1)
    client("s3", standin.url, REGION).put_object(
        Bucket=BUCKET, Key="faults/a.tar.gz", Body=(tmp_path / "a.tar.gz").read_bytes()
    )
    components = standin.hosting.components

    def status(name: str) -> str:
        clock.advance(TIMING.adapter)
        found: str = aws.describe_inference_component(InferenceComponentName=name)["InferenceComponentStatus"]
        return found

    def make(name: str) -> None:
        aws.create_inference_component(**adapter_of(endpoint, name, "faults/a.tar.gz"))

    try:
        components.faults = ComponentFaults(refused=AwsError("ResourceLimitExceeded", "No more."))
        assert "No more." in refused(
            aws.create_inference_component, **adapter_of(endpoint, "faulty", "faults/a.tar.gz")
        )
        components.faults = ComponentFaults(stick=True)
        make("faulty")
        assert status("faulty") == "Creating"
        components.faults = ComponentFaults(reason="Too large.")
        assert status("faulty") == "Failed"
        assert aws.describe_inference_component(InferenceComponentName="faulty")["FailureReason"] == "Too large."
        gone(aws, clock, "faulty")
        components.faults = ComponentFaults()
        make("whole")
        assert status("whole") == "InService"
        components.vanish("whole")
        assert "Could not find" in refused(aws.describe_inference_component, InferenceComponentName="whole")
    finally:
        components.faults = ComponentFaults()


@pytest.mark.slow
def test_boto3_reads_an_answer_and_a_stream(runtime: Any, standin: StandIn, endpoint: str) -> None:
    named = {"EndpointName": endpoint, "InferenceComponentName": "base"}
    answer = invoke(runtime)(**named, InferenceId="r1")
    assert b"choices" in answer["Body"].read()
    assert answer["InvokedProductionVariant"] == "AllTraffic"
    body = b'{"prompt": "Total: 42", "max_tokens": 4, "stream": true}'

    def streamed() -> bytes:
        found = runtime.invoke_endpoint_with_response_stream(ContentType="application/json", Body=body, **named)
        return b"".join(event["PayloadPart"]["Bytes"] for event in found["Body"])

    assert streamed().rstrip().endswith(b"data: [DONE]")
    standin.runtime.faults.breaks_after = 1
    with pytest.raises(EventStreamError, match="ModelStreamError"):
        streamed()
    standin.runtime.faults.breaks_after = None
    assert "header is required" in refused(invoke(runtime), EndpointName=endpoint)
    said = refused(runtime.invoke_endpoint, **named, Body=b"no json")
    assert said.startswith("ModelError")
    standin.runtime.faults.error = AwsError("ThrottlingException", "Rate exceeded")
    assert refused(invoke(runtime), **named).startswith("ThrottlingException")
    standin.runtime.faults.only = "another"
    assert invoke(runtime)(**named)["ResponseMetadata"]["HTTPStatusCode"] == 200
    standin.runtime.faults = RuntimeFaults()


@pytest.mark.slow
def test_a_base_may_have_no_copies(aws: Any, runtime: Any, endpoint: str, clock: ManualClock) -> None:
    def copies(count: int) -> dict[str, int]:
        aws.update_inference_component_runtime_config(
            InferenceComponentName="base", DesiredRuntimeConfig={"CopyCount": count}
        )
        clock.advance(TIMING.base)
        deadline = time.monotonic() + 120
        while (found := aws.describe_inference_component(InferenceComponentName="base"))[
            "InferenceComponentStatus"
        ] != "InService":
            assert time.monotonic() < deadline
            time.sleep(0.1)
        told: dict[str, int] = found["RuntimeConfig"]
        return told

    named = {"EndpointName": endpoint, "InferenceComponentName": "base"}
    assert copies(0) == {"DesiredCopyCount": 0, "CurrentCopyCount": 0}
    assert "no capacity" in refused(invoke(runtime), **named)
    assert copies(1) == {"DesiredCopyCount": 1, "CurrentCopyCount": 1}
    assert invoke(runtime)(**named)["ResponseMetadata"]["HTTPStatusCode"] == 200
