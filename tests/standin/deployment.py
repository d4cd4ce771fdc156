"""A SageMaker backend pointed at a stand-in, for tests."""

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

from jobs.backends.sagemaker import SageMakerCompute
from standin.clock import Clock
from standin.container import Container
from standin.hosting.endpoints import HostingTiming
from standin.server import REGION, StandIn
from standin.training_job import ContainerFactory, Timing

ROLE = "arn:aws:iam::123456789012:role/adapter-portal-training"
IMAGE = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/training:1"
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}


@contextmanager
def running_standin(
    folder: Path,
    *,
    clock: Clock | None = None,
    timing: Timing | None = None,
    hosting_timing: HostingTiming | None = None,
    container: ContainerFactory = Container,
) -> Iterator[StandIn]:
    """A stand-in that answers, and credentials for it; no other AWS can be meant by accident."""
    standin = StandIn(folder, clock=clock, timing=timing, hosting_timing=hosting_timing, container=container).start()
    try:
        with patch.dict(os.environ, CREDENTIALS):
            yield standin
    finally:
        standin.stop()


def options(standin: StandIn, **changes: Any) -> dict[str, Any]:
    """OPTIONS of a COMPUTE entry, with a bucket of its own."""
    bucket = f"portal-{uuid.uuid4().hex[:12]}"
    standin.make_bucket(bucket)
    return {
        "BUCKET": bucket,
        "PREFIX": "portal/",
        "ROLE_ARN": ROLE,
        "IMAGE": IMAGE,
        "REGION": REGION,
        "ENDPOINT_URL": standin.url,
        "PACKAGES": ("lorakit", "tests/jobs"),
        **changes,
    }


def backend(standin: StandIn, **changes: Any) -> SageMakerCompute:
    """A backend with those options."""
    return SageMakerCompute("default", options(standin, **changes))
