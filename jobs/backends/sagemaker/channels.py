"""The channels of a training job: the code, the run's spec, its inputs and its base model."""

import json
from collections.abc import Mapping

from django.core.files.storage import default_storage

from jobs.backends.base import ComputeError, ComputeSpec
from jobs.backends.sagemaker.bucket import Bucket
from jobs.backends.sagemaker.errors import not_set_up, translated
from jobs.backends.sagemaker.request import Places
from jobs.backends.sagemaker.source import ARCHIVE, Source
from storage.objects import place_in_s3


def store_channels(
    bucket: Bucket, where: Places, spec: ComputeSpec, source: Source, base_models: Mapping[str, str]
) -> dict[str, str]:
    """Store a run's inputs in S3 under its tenant's prefix. Returns the S3 prefix of each channel by name."""
    if not bucket.has(f"{where.code}{ARCHIVE}"):
        bucket.put(f"{where.code}{ARCHIVE}", source.archive)
    channels = {"code": where.uri(where.code), "spec": where.uri(where.channel("spec"))}
    bucket.put(f"{where.channel('spec')}spec.json", json.dumps(spec.spec).encode())
    for channel, files in spec.inputs.items():
        channels[channel] = where.uri(where.channel(channel))
        for item in files:
            _copy(bucket, item.key, f"{where.channel(channel)}{item.filename}")
    if "base_model" in spec.spec:
        channels["base"] = base_model_uri(spec.base_uri or str(spec.spec["base_model"]), base_models)
    return channels


def base_model_uri(location: str, base_models: Mapping[str, str]) -> str:
    """The S3 prefix of a base model: `location` itself or the settings' copy. Raises ComputeError if there is none."""
    uri = place_of_base_model(location, base_models)
    if not uri:
        detail = f"{location} is not in S3. Copy its folder there and give the copy as its location for SageMaker."
        raise not_set_up("platform:base_model_not_in_s3", detail)
    return f"{uri.rstrip('/')}/"


def place_of_base_model(location: str, base_models: Mapping[str, str]) -> str:
    """`location` if it is in S3, else the settings' copy of it, or empty."""
    return location if location.startswith("s3://") else base_models.get(location, "")


def _copy(bucket: Bucket, key: str, target: str) -> None:
    if bucket.has(target):
        # An earlier step stored it and was interrupted. The key contains the run's name, so the content is the same.
        return
    source = place_in_s3(key)
    try:
        if source is not None:
            bucket.copy(target, source)
            return
        with translated("reading an input"), default_storage.open(key, "rb") as content:
            bucket.upload(target, content)
    except FileNotFoundError as error:
        text = "An input of this run is no longer available. Upload the dataset again and start a new run."
        raise ComputeError("platform:input_missing", text, temporary=False) from error
