"""What is asked of AWS, checked against AWS's own model, and what a deployment may ask for at all."""

import tarfile
from io import BytesIO
from typing import Any

import pytest

from jobs.backends.base import ComputeSpec
from jobs.backends.sagemaker import SageMakerCompute
from jobs.backends.sagemaker.options import SageMakerOptions
from jobs.backends.sagemaker.request import Request, command, places, training_job
from jobs.backends.sagemaker.source import pack_source
from standin.server import REGION
from standin.training import check_together
from standin.validation import check_request
from tests.jobs.backends.test_compute_contract import JOB, TENANT, new_name
from tests.standin.deployment import IMAGE, ROLE

NEEDED: dict[str, Any] = {
    "BUCKET": "portal-bucket",
    "PREFIX": "portal/",
    "ROLE_ARN": ROLE,
    "IMAGE": IMAGE,
    "REGION": REGION,
}
KEY = "arn:aws:kms:eu-west-1:123456789012:key/11111111-2222-3333-4444-555555555555"
VARIANTS: dict[str, dict[str, Any]] = {
    "plain": {},
    "spot": {"SPOT": True},
    "encrypted": {"KMS_KEY_ID": KEY},
    "own network": {"SUBNETS": ("subnet-0a1b2c3d",), "SECURITY_GROUP_IDS": ("sg-0a1b2c3d",)},
    "isolated": {"NETWORK_ISOLATION": True},
    "own image": {"PIP_INSTALL": True, "ENVIRONMENT": {"NCCL_DEBUG": "INFO"}, "TAGS": {"cost-centre": "ml"}},
}


def request_of(**options: Any) -> Request:
    spec = ComputeSpec(
        module="lorakit.train",
        spec={"r": 16, "learning_rate": 2e-4, "target_modules": ["q_proj"], "note": "x" * 300, "empty": ""},
        checkpoint_key=JOB,
        tags={"tenant": TENANT, "job": JOB, "attempt": "1", "kind": "training"},
    )
    settings = SageMakerOptions.read({**NEEDED, **options})
    name = new_name()
    where = places(settings, name, spec, "0" * 64)
    channels = {"code": where.uri(where.code), "train": where.uri(where.channel("train"))}
    return training_job(name, spec, settings, where, IMAGE, channels)


@pytest.mark.parametrize("variant", VARIANTS)
def test_aws_accepts_the_request(variant: str) -> None:
    request = request_of(**VARIANTS[variant])
    check_request("CreateTrainingJob", request)
    check_together(request)


def test_each_option_reaches_the_request() -> None:
    assert request_of(**VARIANTS["spot"])["StoppingCondition"]["MaxWaitTimeInSeconds"] == 172_800
    assert request_of(**VARIANTS["encrypted"])["OutputDataConfig"]["KmsKeyId"] == KEY
    assert request_of(**VARIANTS["own network"])["VpcConfig"]["Subnets"] == ["subnet-0a1b2c3d"]
    assert request_of(**VARIANTS["isolated"])["EnableNetworkIsolation"] is True
    own = request_of(**VARIANTS["own image"])
    assert "pip install" in own["AlgorithmSpecification"]["ContainerArguments"][1]
    assert own["Environment"]["NCCL_DEBUG"] == "INFO"
    assert {"Key": "cost-centre", "Value": "ml"} in own["Tags"]


def test_a_tenants_rows_and_checkpoints_lie_under_its_prefix_and_its_tags_name_it() -> None:
    request = request_of()
    tenant = f"s3://portal-bucket/portal/tenants/{TENANT}/"
    assert request["CheckpointConfig"]["S3Uri"] == f"{tenant}checkpoints/{JOB}/"
    assert request["OutputDataConfig"]["S3OutputPath"].startswith(f"{tenant}runs/{request['TrainingJobName']}/")
    rows = request["InputDataConfig"][1]["DataSource"]["S3DataSource"]["S3Uri"]
    assert rows.startswith(tenant)
    assert {"Key": "tenant", "Value": TENANT} in request["Tags"]


def test_a_run_on_another_machine_has_no_price_of_the_settings() -> None:
    backend = SageMakerCompute("default", {**NEEDED, "PRICE_USD_PER_HOUR": 2.0, "PRICE_SOURCE": "a list"})
    assert backend.on("") is backend.on("ml.g6e.xlarge") is backend
    other = backend.on("ml.p5.4xlarge")
    assert (other.priced.item, other.usd_per_hour, other.price_source) == ("ml.p5.4xlarge", None, "")
    assert (backend.priced.item, backend.usd_per_hour) == ("ml.g6e.xlarge", 2.0)
    assert backend.on("ml.p5.4xlarge") is other, "with its clients"


def test_only_plain_short_values_are_shown_as_hyperparameters() -> None:
    assert request_of()["HyperParameters"] == {"r": "16", "learning_rate": "0.0002"}


def test_the_longest_command_fits_what_aws_allows() -> None:
    assert len(command("lorakit.generate", pip_install=True)) <= 256


def test_the_code_is_packed_the_same_every_time_and_holds_no_weights() -> None:
    source = pack_source(("lorakit",))
    pack_source.cache_clear()
    assert pack_source(("lorakit",)).sha256 == source.sha256
    with tarfile.open(fileobj=BytesIO(source.archive)) as tar:
        names = tar.getnames()
    assert "lorakit/train/__main__.py" in names
    assert "requirements.txt" in names
    assert all(name.endswith((".py", "requirements.txt")) for name in names)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"ROLE_ARN": ""}, "ROLE_ARN is required"),
        ({"BUCKET": ""}, "BUCKET is required"),
        ({"ROLE_ARN": "training"}, "a role's ARN"),
        ({"PREFIX": "portal"}, "end with a slash"),
        ({"SPOT": True, "MAX_WAIT_SECONDS": 10}, "MAX_WAIT_SECONDS"),
        ({"SUBNETS": ("subnet-1",)}, "set together"),
        ({"NETWORK_ISOLATION": True, "PIP_INSTALL": True}, "needs a network"),
        ({"ENVIRONMENT": {"A": "x" * 513}}, "512 characters"),
        ({"BASE_MODELS": {"/models/base": "/models/base"}}, "must be an S3 prefix"),
        ({"MAX_RUNTIME_SECONDS": 0}, "at least 1"),
        ({"REGION": ""}, "Set REGION"),
        ({"IMAGE": ""}, "Set IMAGE"),
    ],
)
def test_a_wrong_option_is_told_at_start(wrong: dict[str, Any], said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_DEFAULT_REGION", raising=False)
    with pytest.raises(ValueError, match=said):
        SageMakerCompute("default", {**NEEDED, **wrong})
