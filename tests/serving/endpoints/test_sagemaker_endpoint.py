"""A SageMaker endpoint from its making to its end, what its requests are, and what AWS's troubles become."""

import contextlib
import datetime as dt
from io import StringIO
from pathlib import Path
from typing import Any
from unittest.mock import patch

import boto3
import pytest
from botocore.credentials import Credentials
from cfnlint.decode import cfn_yaml
from django.conf import settings
from django.core.files.storage import default_storage
from django.core.management import call_command
from django.core.management.base import CommandError

from lorakit.digest import file_sha256
from serving.backends import endpoints
from serving.backends.base import Package, Status
from serving.backends.errors import EndpointError
from serving.backends.sagemaker import SageMakerEndpoint, artifacts
from serving.backends.sagemaker.plan import Plan
from serving.backends.sagemaker.target import SageMakerTarget
from serving.models import Endpoint
from standin.objects import client
from standin.server import REGION, StandIn
from storage.objects import put_file
from tests.serving.sagemaker_endpoint import BUCKET, IMAGE, sagemaker_endpoint, waited
from tests.standin.deployment import ROLE

Aws = tuple[StandIn, SageMakerEndpoint]


def test_a_request_is_signed_as_boto3_signs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the same headers at the same time, boto3's client and the gateway's own request have one signature."""
    seen: list[Any] = []
    client: Any = boto3.Session(region_name=REGION, aws_access_key_id="id", aws_secret_access_key="secret").client(
        "sagemaker-runtime"
    )
    client.meta.events.register("before-send.sagemaker-runtime.*", lambda request, **_: seen.append(request))
    with (
        patch("botocore.auth.get_current_datetime") as now,
        patch("botocore.httpsession.URLLib3Session.send", side_effect=ConnectionError),
    ):
        now.return_value = dt.datetime(2026, 11, 28, 12, 0, 0)
        target = SageMakerTarget(
            host=client.meta.endpoint_url,
            endpoint="shared",
            model="adapter-1",
            region=REGION,
            credentials=lambda: Credentials("id", "secret").get_frozen_credentials(),
        )
        call = target.call("/chat/completions", {"messages": []}, request_id="req-1")
        with pytest.raises(ConnectionError):
            client.invoke_endpoint(
                EndpointName="shared",
                InferenceComponentName="adapter-1",
                InferenceId="req-1",
                ContentType="application/json",
                Body=call.body,
            )
    [theirs] = seen
    assert theirs.url == call.url
    signed = {name.lower(): value for name, value in call.headers.items()}
    assert signed["authorization"] == theirs.headers["Authorization"].decode()


def test_the_plan_of_an_endpoint() -> None:
    plan = Plan(
        endpoint="shared", base_component="base", role_arn=ROLE, image=IMAGE, model_uri="s3://b/m/", max_rank=20
    )
    plan.check()
    container = plan.model("m")["PrimaryContainer"]
    assert container["Environment"]["OPTION_MAX_LORA_RANK"] == "32", "rounded up as vLLM does"
    [variant] = plan.config("c")["ProductionVariants"]
    assert "ModelName" not in variant
    assert plan.config("c")["ExecutionRoleArn"] == ROLE


def test_the_cloudformation_template_makes_the_same_endpoint() -> None:
    template: Any = cfn_yaml.load(str(Path(settings.BASE_DIR) / "deploy" / "aws" / "portal.yaml"))
    resources = template["Resources"]
    plan = Plan(endpoint="e", base_component="e-base", role_arn=ROLE, image=IMAGE, model_uri="s3://b/m/")
    ours = plan.model("m")["PrimaryContainer"]
    assert set(resources["Model"]["Properties"]["PrimaryContainer"]["Environment"]) == set(ours["Environment"])
    [variant] = resources["EndpointConfig"]["Properties"]["ProductionVariants"]
    assert set(variant) == set(plan.config("c")["ProductionVariants"][0])
    base = resources["Base"]["Properties"]
    assert base["VariantName"] == variant["VariantName"] == plan.base("m")["VariantName"]
    assert set(base["Specification"]) == set(plan.specification("m"))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"role_arn": ""}, "ROLE_ARN is required"),
        ({"role_arn": "me"}, "must be a role's ARN"),
        ({"model_uri": "/tmp"}, "MODEL_URI must be an S3 prefix"),
        ({"instances": 3}, "LEAST_INSTANCES, INSTANCES and MOST_INSTANCES"),
        ({"max_rank": 513}, "MAX_RANK must be from 1 to 512"),
        ({"gpu_adapters": 9, "cpu_adapters": 8}, "CPU_ADAPTERS must be at least"),
        ({"subnets": ("subnet-1",)}, "must be set together"),
    ],
)
def test_a_plan_that_cannot_work_is_told(changes: dict[str, Any], said: str) -> None:
    good = {"endpoint": "e", "base_component": "b", "role_arn": ROLE, "image": IMAGE, "model_uri": "s3://b/m/"}
    with pytest.raises(ValueError, match=said):
        Plan(**{**good, **changes}).check()


@pytest.mark.parametrize("missing", ["ENDPOINT", "BASE_COMPONENT", "BASE_MODEL", "BUCKET"])
def test_a_needed_option_raises(missing: str) -> None:
    options = {"ENDPOINT": "e", "BASE_COMPONENT": "b", "BASE_MODEL": "m", "BUCKET": "b", "REGION": REGION}
    with pytest.raises(ValueError, match=missing):
        SageMakerEndpoint("default", {name: value for name, value in options.items() if name != missing})


@pytest.mark.slow
def test_an_endpoint_is_made_changed_and_deleted_and_nothing_is_left(
    aws: Aws, package: Package, endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    standin, _ = aws
    hosting = standin.hosting

    def run(action: str, **changes: Any) -> str:
        names = {"ENDPOINT": "other", "BASE_COMPONENT": "other-base"}
        backend = sagemaker_endpoint(standin, **names, **changes)
        monkeypatch.setitem(endpoints.built, "default", backend)
        out = StringIO()
        call_command("endpoint", action, yes=True, poll=0.1, stdout=out)
        return out.getvalue()

    before = (set(hosting.models.by_name), set(hosting.endpoints.configs))
    with pytest.raises(CommandError, match="Create it first"):
        run("update")
    assert "In service." in run("create")
    assert run("create").count("Creating") == 1, "only the parts that never change are asked for again"
    assert "tiny-llama with 0 adapters" in run("status")
    backend = endpoints["default"]
    backend.deploy("one", package)
    assert backend.describe("one").status is Status.IN_SERVICE
    assert "Changing the endpoint’s configuration" in run("update", INSTANCES=2, MOST_INSTANCES=2)
    changed = run("update", INSTANCES=2, MOST_INSTANCES=2, CPU_ADAPTERS=32)
    assert "Changing the base component" in changed
    assert len(hosting.endpoints.configs) == len(before[1]) + 1
    assert "Deleting 1 adapter component" in run("delete", INSTANCES=2, MOST_INSTANCES=2, CPU_ADAPTERS=32)
    assert "Nothing is left." in run("delete")
    assert (set(hosting.models.by_name), set(hosting.endpoints.configs)) == before
    assert "other" not in hosting.endpoints.by_name
    assert not hosting.components.on("other")
    with pytest.raises(CommandError, match="Deleted"):
        run("status")


@pytest.mark.slow
def test_an_endpoint_without_a_machine_says_why(aws: Aws) -> None:
    standin, _ = aws
    backend = sagemaker_endpoint(standin, ENDPOINT="poor", BASE_COMPONENT="poor-base")
    standin.hosting.endpoints.has_capacity = False
    with pytest.raises(EndpointError, match="InsufficientInstanceCapacity"):
        list(waited(backend.provision().create()))
    standin.hosting.endpoints.has_capacity = True
    assert "InsufficientInstanceCapacity" in backend.health().text
    list(waited(backend.provision().delete()))
    assert "poor" not in standin.hosting.endpoints.by_name


def test_one_asks_before_it_costs(endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    options = {"ENDPOINT": "e", "BASE_COMPONENT": "b", "BASE_MODEL": "m", "BUCKET": "b", "REGION": REGION}
    options |= {"ROLE_ARN": ROLE, "IMAGE": IMAGE, "MODEL_URI": "s3://b/m/", "PRICE_SOURCE": "a list"}
    backend = SageMakerEndpoint("default", {**options, "PRICE_USD_PER_HOUR": 2.0})
    monkeypatch.setitem(endpoints.built, "default", backend)
    asked: list[str] = []

    def answer(question: str) -> str:
        asked.append(question)
        return ""

    monkeypatch.setattr("builtins.input", answer)
    with pytest.raises(CommandError, match="Nothing was changed"):
        call_command("endpoint", "create")
    assert "$2.00 an hour, $1,460 a month (a list)" in asked[0]


def test_the_embedded_engine_is_not_made_by_the_command(endpoint: Endpoint) -> None:
    with pytest.raises(CommandError, match="start its server yourself"):
        call_command("endpoint", "create", yes=True)


@pytest.mark.slow
def test_packages_are_checked_before_an_endpoint_sees_them(
    sagemaker: SageMakerEndpoint, package: Package, tmp_path: Path
) -> None:
    def refused(key: str, sha256: str) -> str:
        with pytest.raises(EndpointError) as error:
            sagemaker.deploy("bad", Package(key=key, sha256=sha256))
        assert not error.value.temporary
        return error.value.code

    assert refused(package.key, "0" * 64) == "deployment:package_changed"
    assert refused("canaries/nothing", "1" * 64) == "deployment:package_missing"
    broken = tmp_path / "broken.tar.gz"
    broken.write_bytes(b"no archive")
    default_storage.delete("canaries/broken-aws")
    put_file("canaries/broken-aws", broken)
    assert refused("canaries/broken-aws", file_sha256(broken)) == "deployment:bad_package"
    assert not sagemaker.list()


@pytest.mark.slow
def test_archives_that_nothing_needs_are_deleted_after_a_while(
    aws: Aws, sagemaker: SageMakerEndpoint, package: Package, monkeypatch: pytest.MonkeyPatch
) -> None:
    standin, _ = aws
    key = f"deployments/{package.sha256}.tar.gz"
    s3 = client("s3", standin.url, REGION)

    def tidied(keep: set[str]) -> bool:
        """Whether another process has it deleted."""
        sagemaker_endpoint(standin).tidy(keep)
        return not s3.list_objects_v2(Bucket=BUCKET, Prefix=key).get("Contents")

    sagemaker.deploy("one", package)
    assert not tidied(set()), "it is young"
    monkeypatch.setattr(artifacts, "TIDY_AFTER", dt.timedelta(seconds=-60))
    assert not tidied({package.sha256})
    assert tidied(set())


@pytest.mark.slow
def test_a_rank_that_the_endpoint_does_not_take_fails_and_can_be_tried_again(
    aws: Aws, sagemaker: SageMakerEndpoint, package: Package
) -> None:
    standin, _ = aws
    sagemaker.deploy("one", package)
    component = standin.hosting.components.find(sagemaker.component("one"))
    component.fail("There are not enough hardware resources on the instances", 0.0)
    assert sagemaker.describe("one").text == "There are not enough hardware resources on the instances"
    assert sagemaker.list() == {"one": Status.FAILED}
    # It is taken away first, and deployed again once it is gone.
    sagemaker.deploy("one", package)
    assert sagemaker.describe("one").status is Status.MISSING
    sagemaker.deploy("one", package)
    assert sagemaker.describe("one").status is Status.IN_SERVICE


@pytest.mark.slow
def test_answers_that_are_lost_and_calls_that_are_throttled_do_no_harm(
    aws: Aws, sagemaker: SageMakerEndpoint, package: Package
) -> None:
    standin, _ = aws
    standin.faults.throttled, standin.faults.answers_lost = 0.2, 0.2
    for number in range(5):
        for _ in range(20):
            # What is not temporary would go on to fail.
            with contextlib.suppress(EndpointError):
                sagemaker.deploy(f"deployment-{number}", package)
                break
    standin.faults.throttled = standin.faults.answers_lost = 0.0
    assert sagemaker.list() == {f"deployment-{number}": Status.IN_SERVICE for number in range(5)}


@pytest.mark.slow
def test_what_aws_says_is_for_the_operator(aws: Aws, sagemaker: SageMakerEndpoint, package: Package) -> None:
    standin, _ = aws
    for fault, code, temporary in (
        ("away", "platform:aws_unreachable", True),
        ("denied", "platform:aws_denied", False),
    ):
        getattr(standin.faults, fault).add("sagemaker")
        with pytest.raises(EndpointError) as refused:
            sagemaker.deploy("one", package)
        getattr(standin.faults, fault).clear()
        assert (refused.value.code, refused.value.temporary) == (code, temporary)
        assert "arn:" not in refused.value.text
    assert sagemaker.health().ok
