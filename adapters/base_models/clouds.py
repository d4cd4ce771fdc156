"""Where SageMaker reads a base model, and the instances that it needs there."""

import re
from collections.abc import Mapping
from functools import partial

from adapters.models import BaseModel
from jobs.backends import compute
from rest.errors import PortalError

CLOUD = ("sagemaker_uri", "training_instance", "serving_instance")
"""Columns of a base model."""

_PREFIX = re.compile(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[\w!.*'()/ -]*)?")
_INSTANCE = re.compile(r"ml\.[a-z0-9-]+\.[a-z0-9-]+")

bad_place = partial(PortalError, code="base_model:bad_place", field="sagemaker_uri")


def check_clouds(given: Mapping[str, str]) -> None:
    """Raises PortalError with `field`: base_model:bad_place, base_model:bad_instance. Empty ones are fine."""
    uri = given.get("sagemaker_uri", "")
    if uri and not _PREFIX.fullmatch(uri):
        raise bad_place("Give the address of a folder in S3, such as s3://BUCKET/base-models/NAME/.")
    for field in CLOUD[1:]:
        instance = given.get(field, "")
        if instance and not _INSTANCE.fullmatch(instance):
            text = "Give a type of SageMaker instance, such as ml.g6e.xlarge."
            raise PortalError(text, code="base_model:bad_instance", field=field)


def tidied(given: Mapping[str, str]) -> dict[str, str]:
    """The same with one slash at the end of the place: to S3, `s3://b/small` is also the start of `s3://b/small-8b/`."""
    uri = given.get("sagemaker_uri", "")
    return {**given, "sagemaker_uri": f"{uri.rstrip('/')}/"} if uri else dict(given)


def is_readable_by_runs(base_model: BaseModel) -> bool:
    """Whether trainings and evaluations can read it where they run: on SageMaker, it has to be in S3."""
    return compute["default"].reads_base_model(base_model.sagemaker_uri or base_model.location)


def bucket_and_prefix(uri: str) -> tuple[str, str]:
    """The two parts of an s3:// address; the prefix has no slash at its ends."""
    bucket, _, prefix = uri.removeprefix("s3://").partition("/")
    return bucket, prefix.strip("/")
