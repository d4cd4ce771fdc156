"""The backend with the `sagemaker` package installed, in an environment of its own: `make test-sagemaker`.

Not found by `make test`: the package and what it brings are most of a gigabyte.
"""

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from scripts.peers import peer_python
from standin.server import StandIn
from standin.validation import check_request
from tests.standin.deployment import CREDENTIALS, options, running_standin

SCRIPT = Path(__file__).with_name("with_sagemaker_package.py")


@pytest.fixture
def standin(tmp_path: Path) -> Iterator[StandIn]:
    with running_standin(tmp_path / "containers") as standin:
        yield standin


def run(standin: StandIn, tmp_path: Path, **changes: Any) -> Any:
    """What the script told; the SDK finds the stand-in by AWS's own variable."""
    # The stand-in's IAM cannot say what a role may do.
    known = {"AWS_ENDPOINT_URL": standin.url, "SAGEMAKER_VALIDATE_ROLE": "false", "PORTAL_VAR": str(tmp_path)}
    made = subprocess.run(
        [peer_python("sagemaker"), SCRIPT, json.dumps(options(standin, **changes))],
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), **CREDENTIALS, **known},
        capture_output=True,
        text=True,
        check=False,
    )
    assert made.returncode == 0, made.stderr[-4000:]
    return json.loads(made.stdout.splitlines()[-1])


def test_the_package_is_only_imported_where_it_is_used(standin: StandIn, tmp_path: Path) -> None:
    told = run(standin, tmp_path)
    assert told["state"] == "succeeded"
    assert told["imported_at_once"] is False


@pytest.mark.parametrize("region", ["eu-west-1", "us-east-1"])
def test_the_image_is_looked_up_for_its_region(standin: StandIn, tmp_path: Path, region: str) -> None:
    told = run(standin, tmp_path, IMAGE="", REGION=region)
    assert f".dkr.ecr.{region}.amazonaws.com/huggingface-pytorch-training:" in told["image"]
    assert standin.training.jobs[told["name"]].request["AlgorithmSpecification"]["TrainingImage"] == told["image"]


def test_model_trainer_starts_the_same_job_once(standin: StandIn, tmp_path: Path) -> None:
    asked = {
        "SPOT": True,
        "KMS_KEY_ID": "arn:aws:kms:eu-west-1:123456789012:key/11111111-2222-3333-4444-555555555555",
        "SUBNETS": ["subnet-0a1b2c3d"],
        "SECURITY_GROUP_IDS": ["sg-0a1b2c3d"],
        "NETWORK_ISOLATION": True,
        "TAGS": {"cost-centre": "ml"},
    }
    plain, made = (run(standin, tmp_path, LAUNCHER=launcher, **asked) for launcher in ("boto3", "model_trainer"))
    assert (made["state"], made["result"]["metrics"]) == ("succeeded", {"first": 0.0})
    assert list(standin.training.created.values()) == [1, 1]
    requests = [standin.training.jobs[told["name"]].request for told in (plain, made)]
    check_request("CreateTrainingJob", requests[1])
    shown = [json.dumps(request, sort_keys=True) for request in requests]
    bucketless = [text.replace(told["name"], "NAME") for text, told in zip(shown, (plain, made), strict=True)]
    buckets = [request["OutputDataConfig"]["S3OutputPath"].split("/")[2] for request in requests]
    assert bucketless[0].replace(buckets[0], "BUCKET") == bucketless[1].replace(buckets[1], "BUCKET")


def test_the_networks_of_the_organisation_are_taken(standin: StandIn, tmp_path: Path) -> None:
    """From where the SDK looks for them, in its own format."""
    network = {"subnets": ["subnet-0e1e2e3e"], "security_group_ids": ["sg-0e1e2e3e"]}
    own = {"PythonSDK": {"Modules": {"ModelTrainer": {"networking": network}}}}
    configuration = {"SchemaVersion": "1.0", "SageMaker": own}
    folder = tmp_path / ".config" / "sagemaker"
    folder.mkdir(parents=True)
    (folder / "config.yaml").write_text(json.dumps(configuration))
    told = run(standin, tmp_path, LAUNCHER="model_trainer")
    assert standin.training.jobs[told["name"]].request["VpcConfig"] == {
        "Subnets": network["subnets"],
        "SecurityGroupIds": network["security_group_ids"],
    }


def test_a_role_that_is_no_role_is_refused_with_words(standin: StandIn, tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match=r"ComputeError: .*not set up correctly") as refusal:
        run(standin, tmp_path, LAUNCHER="model_trainer", ROLE_ARN="arn:aws:iam::123456789012:user/somebody")
    assert "failed to satisfy constraint" in str(refusal.value), "the log keeps what AWS said"
