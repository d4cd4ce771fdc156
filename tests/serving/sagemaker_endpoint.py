"""A SageMaker endpoint at a stand-in, for tests."""

import time
from collections.abc import Iterator
from typing import Any

from django.conf import settings

from serving.backends.base import Waiting
from serving.backends.sagemaker import SageMakerEndpoint
from standin.server import REGION, StandIn
from tests.standin.deployment import ROLE

BUCKET = "portal-hosting"
MODEL_URI = f"s3://{BUCKET}/base-models/tiny/"
IMAGE = "763104351884.dkr.ecr.eu-west-1.amazonaws.com/djl-inference:0.36.0-lmi27.0.0-cu130"


def endpoint_options(standin: StandIn, **changes: Any) -> dict[str, Any]:
    """OPTIONS of an ENDPOINTS entry; the base model is in the stand-in's S3."""
    standin.make_bucket(BUCKET)
    standin.put_folder(settings.BASE_MODEL_DIR, MODEL_URI)
    return {
        "ENDPOINT": "shared",
        "BASE_COMPONENT": "shared-base",
        "BASE_MODEL": "tiny-llama",
        "BUCKET": BUCKET,
        "ROLE_ARN": ROLE,
        "IMAGE": IMAGE,
        "MODEL_URI": MODEL_URI,
        "MAX_RANK": 20,
        "REGION": REGION,
        "ENDPOINT_URL": standin.url,
        **changes,
    }


def waited(lines: Iterator[str], *, seconds: float = 0.02) -> Iterator[str]:
    """A provision's lines, with a moment after each that is Waiting."""
    for line in lines:
        yield line
        if isinstance(line, Waiting):
            time.sleep(seconds)


def sagemaker_endpoint(standin: StandIn, **changes: Any) -> SageMakerEndpoint:
    """A backend with those options."""
    return SageMakerEndpoint("default", endpoint_options(standin, **changes))
