"""The AWS stand-in for the demo: a child process, and the environment that points the site at it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from subprocess import Popen

from portal.embedded.process import free_port, spawn, stop
from portal.supervisor.processes import ROOT
from portal.supervisor.supervisor import SupervisorError

BUCKET = "adapter-portal-demo"
BASE_URI = f"s3://{BUCKET}/base-models/tiny/"
START_SECONDS = 60.0


@contextmanager
def aws_standin(folder: Path, base_model: Path) -> Iterator[dict[str, str]]:
    """Run the stand-in with the base model in its S3. Yields the environment variables for the site's processes."""
    port, log = free_port(), folder / "standin.log"
    argv = [
        sys.executable, "-m", "standin", "--port", str(port), "--folder", str(folder / "containers"),
        "--bucket", BUCKET, "--put", str(base_model), BASE_URI,
    ]  # fmt: skip
    with log.open("wb") as output:
        process = spawn(argv, log=output, death_signal=signal.SIGTERM, cwd=ROOT)
    try:
        _wait_ready(process, log)
        yield environment_at(f"http://127.0.0.1:{port}")
    finally:
        stop(process, [(signal.SIGTERM, 10.0)])


def environment_at(url: str) -> dict[str, str]:
    """Settings of a site at a stand-in (docs/settings.md), and variables that boto3 reads itself."""
    return {
        "AWS_ENDPOINT_URL": url,
        "AWS_REGION": "eu-west-1",
        "AWS_ACCESS_KEY_ID": "demo",
        "AWS_SECRET_ACCESS_KEY": "demo",
        "S3_BUCKET": BUCKET,
        "SAGEMAKER_ROLE_ARN": "arn:aws:iam::123456789012:role/demo",
        "SAGEMAKER_IMAGE": "123456789012.dkr.ecr.eu-west-1.amazonaws.com/training:demo",
        "SAGEMAKER_BASE_MODEL_URI": BASE_URI,
        "SAGEMAKER_POLL_SECONDS": "1",
        "SAGEMAKER_PRICE_USD_PER_HOUR": "0.10",
        "SAGEMAKER_PRICE_SOURCE": "Set for the demo; a stand-in, not a bill",
        "SAGEMAKER_ENDPOINT": "shared",
        "SAGEMAKER_ENDPOINT_IMAGE": "123456789012.dkr.ecr.eu-west-1.amazonaws.com/serving:demo",
        "SAGEMAKER_ENDPOINT_PRICE_USD_PER_HOUR": "0.10",
        "SAGEMAKER_ENDPOINT_PRICE_SOURCE": "Set for the demo; a stand-in, not a bill",
    }


def create_endpoint(folder: Path) -> None:
    """As an operator would, once the site has its database: the endpoint and its base component."""
    command = [sys.executable, "manage.py", "endpoint", "create", "--yes", "--poll", "1"]
    env = os.environ | {"PORTAL_VAR": str(folder)}
    made = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    if made.returncode:
        raise SupervisorError(f"manage.py endpoint create failed:\n{made.stderr[-2000:]}")


def _wait_ready(process: Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while b"ready: " not in log.read_bytes():
        if process.poll() is not None or time.monotonic() > deadline:
            raise SupervisorError(f"The AWS stand-in did not start:\n{log.read_text(errors='replace')[-2000:]}")
        time.sleep(0.1)
