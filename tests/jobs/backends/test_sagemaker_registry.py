"""The model registry: a version of a tenant's model, waiting for approval, registered once."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from jobs.backends.base import Unavailable
from jobs.backends.local import LocalCompute
from jobs.backends.sagemaker import SageMakerCompute
from jobs.backends.sagemaker.registry import group_name
from lorakit.digest import file_sha256
from standin.server import StandIn
from tests.jobs.backends.test_compute_contract import TENANT, new_name, toy
from tests.standin.deployment import backend, running_standin

pytestmark = pytest.mark.slow


@pytest.fixture
def standin(tmp_path: Path) -> Iterator[StandIn]:
    with running_standin(tmp_path / "containers") as standin:
        yield standin


@pytest.fixture
def sagemaker(standin: StandIn) -> SageMakerCompute:
    return backend(standin)


@pytest.fixture
def package(tmp_path: Path) -> Path:
    path = tmp_path / "adapter.tar.gz"
    path.write_bytes(b"a package")
    return path


def test_a_version_is_registered_once_and_waits_for_approval(sagemaker: SageMakerCompute, package: Path) -> None:
    name = new_name()
    sagemaker.submit(name, toy())
    arn = sagemaker.register(name, package, model="clause-summary", metadata={"rank": "16", "note": "x" * 400})
    assert sagemaker.register(name, package, model="clause-summary", metadata={"rank": "16"}) == arn
    registered = sagemaker._sagemaker.describe_model_package(ModelPackageName=arn)
    assert registered["ModelPackageVersion"] == 1
    assert registered["ModelApprovalStatus"] == "PendingManualApproval"
    shown = registered["CustomerMetadataProperties"]
    assert (shown["rank"], shown["training_job"], len(shown["note"])) == ("16", name, 256)
    assert shown["package_sha256"] == file_sha256(package)
    uri = registered["InferenceSpecification"]["Containers"][0]["ModelDataUrl"]
    assert uri == f"s3://{sagemaker.settings.bucket}/portal/tenants/{TENANT}/registry/{file_sha256(package)}.tar.gz"


def test_what_is_registered_outlives_its_run(sagemaker: SageMakerCompute, package: Path) -> None:
    name = new_name()
    sagemaker.submit(name, toy())
    sagemaker.register(name, package, model="clause-summary", metadata={})
    sagemaker.discard(name)
    assert sagemaker._bucket.has(f"portal/tenants/{TENANT}/registry/{file_sha256(package)}.tar.gz")


def test_another_run_of_the_same_model_is_its_next_version(sagemaker: SageMakerCompute, package: Path) -> None:
    arns = []
    for _ in range(2):
        name = new_name()
        sagemaker.submit(name, toy())
        package.write_bytes(name.encode())
        arns.append(sagemaker.register(name, package, model="ticket triage", metadata={}))
    assert [arn.rsplit("/", 1)[1] for arn in arns] == ["1", "2"]


def test_a_registry_that_is_away_is_asked_again(standin: StandIn, sagemaker: SageMakerCompute, package: Path) -> None:
    name = new_name()
    sagemaker.submit(name, toy())
    standin.faults.away.add("sagemaker")
    with pytest.raises(Unavailable):
        sagemaker.register(name, package, model="clause-summary", metadata={})


def test_what_aws_refuses_does_not_cost_the_training(sagemaker: SageMakerCompute, package: Path) -> None:
    name = new_name()
    sagemaker.submit(name, toy())
    with capture_logs() as logs:
        assert sagemaker.register(name, package, model="clause-summary", metadata={"bad key!": "value"}) == ""
    assert [(log["event"], log["code"]) for log in logs] == [("model_not_registered", "platform:aws_refused")]


@pytest.mark.parametrize("model", ["clause-summary", "Klauseln & Fristen", "x" * 200, "--", "ÄÖÜ"])
def test_a_groups_name_is_one_that_aws_takes(model: str) -> None:
    name = group_name(TENANT, model)
    assert len(name) <= 63
    assert name.replace("-", "").isalnum()
    assert name.isascii()
    assert name != group_name("another tenant", model)


def test_a_backend_without_a_registry_says_so(tmp_path: Path, package: Path) -> None:
    local = LocalCompute("default", {"ROOT": tmp_path})
    assert local.register(new_name(), package, model="clause-summary", metadata={}) == ""
