"""AWS's own command line, whose botocore is another than ours, takes the stand-in for AWS."""

import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from jobs.backends.base import ComputeSpec
from jobs.backends.sagemaker.options import SageMakerOptions
from jobs.backends.sagemaker.request import Request, places, training_job
from jobs.backends.sagemaker.source import pack_source
from lorakit.package import PACKAGE, inspect
from scripts.peers import peer_python
from standin.server import LOG_GROUP, REGION, StandIn
from tests.jobs import tiny_training
from tests.standin.deployment import IMAGE, ROLE, running_standin
from tests.standin.test_strictness import GOOD

pytestmark = pytest.mark.slow

BUCKET = "portal-awscli"
INPUT = f"s3://{BUCKET}/cli/input"
OUTPUT = {"OutputDataConfig": {"S3OutputPath": f"s3://{BUCKET}/output"}}
STEPS = 6
SECONDS = 120.0


class Refused(Exception):
    """The command's exit status was not 0; its words."""


Aws = Callable[..., Any]


@pytest.fixture(scope="module")
def standin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandIn]:
    with running_standin(Path(tmp_path_factory.mktemp("containers"))) as standin:
        standin.make_bucket(BUCKET)
        yield standin


@pytest.fixture(scope="module")
def aws(standin: StandIn) -> Iterator[Aws]:
    """`aws("sagemaker", "list-training-jobs")` gives the parsed answer, or raises Refused."""
    python = peer_python("awscli")
    known = {"PATH": os.environ["PATH"], "AWS_ACCESS_KEY_ID": "cli", "AWS_SECRET_ACCESS_KEY": "cli"}
    environment = known | {"AWS_ENDPOINT_URL": standin.url, "AWS_DEFAULT_REGION": REGION, "AWS_MAX_ATTEMPTS": "1"}

    command = [str(python), str(Path(__file__).parent / "awscli_forks.py")]
    process = subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    asked, told = process.stdin, process.stdout
    assert asked is not None
    assert told is not None

    def run(*words: str) -> Any:
        asked.write(json.dumps([*words, "--output", "json"]) + "\n")
        asked.flush()
        status, output, errors = json.loads(told.readline())
        if status:
            raise Refused(errors)
        return json.loads(output) if output.startswith(("{", "[")) else output

    yield run
    asked.close()
    process.wait(timeout=20)


def training_request(name: str, folder: Path) -> Request:
    """What starts a training of `STEPS` steps; its channels are left in the folder, to be copied to INPUT."""
    source = pack_source(("lorakit",))
    spec = ComputeSpec(module="lorakit.train", spec={**tiny_training.tiny_spec(), "max_steps": STEPS})
    files = {
        "code/code.tar.gz": source.archive,
        "spec/spec.json": json.dumps(spec.spec).encode(),
        "train/rows.jsonl": tiny_training.rows(),
        **{f"base/{path.name}": path.read_bytes() for path in settings.BASE_MODEL_DIR.iterdir()},
    }
    for path, content in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    options = SageMakerOptions.read({"BUCKET": BUCKET, "ROLE_ARN": ROLE})
    channels = {channel: f"{INPUT}/{channel}/" for channel in ("code", "spec", "train", "base")}
    return training_job(name, spec, options, places(options, name, spec, source.sha256), IMAGE, channels)


def create(aws: Aws, **changes: Any) -> None:
    aws("sagemaker", "create-training-job", "--cli-input-json", json.dumps({**GOOD, **OUTPUT, **changes}))


def ended(aws: Aws, name: str) -> Any:
    deadline = time.monotonic() + SECONDS
    while (job := aws("sagemaker", "describe-training-job", "--training-job-name", name))["TrainingJobStatus"] in {
        "InProgress",
        "Stopping",
    }:
        assert time.monotonic() < deadline, job
        time.sleep(0.5)
    return job


def test_a_training_from_its_rows_to_its_package(aws: Aws, standin: StandIn, tmp_path: Path) -> None:
    """What a person would type: everything up, a training of `lorakit.train`, its log, its model down again."""
    request = training_request("cli-training", tmp_path / "input")
    aws("s3", "cp", "--recursive", "--only-show-errors", str(tmp_path / "input"), INPUT)
    aws("sagemaker", "create-training-job", "--cli-input-json", json.dumps(request))
    job = ended(aws, "cli-training")
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    walked = [transition["Status"] for transition in job["SecondaryStatusTransitions"]]
    assert walked == ["Starting", "Downloading", "Training", "Uploading", "Completed"]
    assert job["BillableTimeInSeconds"] == job["TrainingTimeInSeconds"] > 0

    group = ("--log-group-name", LOG_GROUP)
    streams = aws("logs", "describe-log-streams", *group, "--log-stream-name-prefix", "cli-training/")["logStreams"]
    stream = ("--log-stream-name", streams[0]["logStreamName"])
    log = aws("logs", "get-log-events", *group, *stream, "--start-from-head")
    losses = [json.loads(event["message"]).get("loss") for event in log["events"] if event["message"].startswith("{")]
    assert len([loss for loss in losses if loss is not None]) == STEPS

    aws("s3", "cp", "--only-show-errors", job["ModelArtifacts"]["S3ModelArtifacts"], str(tmp_path / "model.tar.gz"))
    subprocess.run(["tar", "-xzf", "model.tar.gz", PACKAGE], cwd=tmp_path, check=True)
    assert inspect(tmp_path / PACKAGE).rank == 4


def test_a_job_is_stopped_and_cannot_be_stopped_twice(aws: Aws) -> None:
    sleeps = {**GOOD["AlgorithmSpecification"], "ContainerArguments": ["-c", "exec sleep 600"]}
    create(aws, TrainingJobName="cli-stopped", AlgorithmSpecification=sleeps)
    aws("sagemaker", "stop-training-job", "--training-job-name", "cli-stopped")
    assert ended(aws, "cli-stopped")["SecondaryStatus"] == "Stopped"
    with pytest.raises(Refused, match=r"ValidationException.*in status Stopped"):
        aws("sagemaker", "stop-training-job", "--training-job-name", "cli-stopped")


def test_a_list_is_read_page_by_page_and_filtered(aws: Aws) -> None:
    for number in range(3):
        create(aws, TrainingJobName=f"cli-list-{number}")
    words = ("sagemaker", "list-training-jobs", "--name-contains", "cli-list", "--sort-by", "Name")
    listed = [job["TrainingJobName"] for job in aws(*words, "--page-size", "2")["TrainingJobSummaries"]]
    assert listed == ["cli-list-0", "cli-list-1", "cli-list-2"]
    page = aws(*words, "--max-results", "2", "--sort-order", "Descending")
    assert [job["TrainingJobName"] for job in page["TrainingJobSummaries"]] == ["cli-list-2", "cli-list-1"]
    assert page["NextToken"]
    assert aws(*words, "--creation-time-before", "2020-01-01")["TrainingJobSummaries"] == []
    assert len(aws(*words, "--creation-time-after", "2020-01-01")["TrainingJobSummaries"]) == 3


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("describe-training-job", "--training-job-name", "nobody"), r"ValidationException.*not found"),
        (("stop-training-job", "--training-job-name", "nobody"), r"ValidationException.*not found"),
        (("describe-training-job", "--training-job-name", "under_score"), r"ValidationException.*regular expression"),
        (("list-training-jobs", "--status-equals", "Bogus"), r"ValidationException.*enum value set"),
        (("list-training-jobs", "--max-results", "101"), r"ValidationException.*less than or equal to 100"),
        (("list-training-jobs", "--next-token", "bogus"), r"ValidationException.*NextToken"),
        (("list-labeling-jobs",), r"UnknownOperationException"),
        (("delete-training-job", "--training-job-name", "nobody"), r"UnknownOperationException"),
    ],
)
def test_what_aws_refuses_is_refused(aws: Aws, words: tuple[str, ...], said: str) -> None:
    with pytest.raises(Refused, match=said):
        aws("sagemaker", *words)


def test_a_name_is_taken_once_and_for_all(aws: Aws) -> None:
    create(aws, TrainingJobName="cli-twice")
    with pytest.raises(Refused, match="ResourceInUse"):
        create(aws, TrainingJobName="cli-twice")
