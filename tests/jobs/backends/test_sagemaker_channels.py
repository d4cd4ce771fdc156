"""A run's inputs get into S3 without passing through the worker where they are in S3 already, and only once."""

import io
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import boto3
import pytest
from django.core.files.storage import default_storage
from moto import mock_aws
from pytest_django import Settings
from storages.backends.s3 import S3Storage

from jobs.backends.base import ComputeError, ComputeSpec, InputFile
from jobs.backends.sagemaker.bucket import Bucket
from jobs.backends.sagemaker.channels import place_of_base_model, store_channels
from jobs.backends.sagemaker.options import SageMakerOptions
from jobs.backends.sagemaker.request import places, training_job
from jobs.backends.sagemaker.source import Source
from lorakit.contracts import MAX_TARGETS, RESERVED_TARGETS, GenerateSpec
from standin.training import check_together
from standin.validation import check_request
from tests.jobs.backends.test_compute_contract import JOB, TENANT, new_name
from tests.jobs.backends.test_sagemaker_request import NEEDED
from tests.standin.deployment import IMAGE

pytestmark = pytest.mark.slow

KEY = f"tenants/{TENANT}/datasets/train.jsonl"
ROWS = b"a row\n" * 1000


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    with mock_aws():
        client = boto3.client("s3", region_name="us-east-1")
        client.create_bucket(Bucket="runs")
        client.create_bucket(Bucket="objects")
        yield client


@pytest.fixture
def in_s3(client: Any, settings: Settings) -> None:
    options = {"bucket_name": "objects", "region_name": "us-east-1", "location": "portal"}
    backend = {"BACKEND": "storages.backends.s3.S3Storage", "OPTIONS": options}
    settings.STORAGES = {**settings.STORAGES, "default": backend}


def store(client: Any, name: str) -> str:
    """Stores the inputs of a run; the key of its rows."""
    spec = ComputeSpec(
        module="lorakit.train",
        spec={},
        inputs={"train": (InputFile(key=KEY, filename="train.jsonl"),)},
        tags={"tenant": TENANT, "job": JOB},
    )
    source = Source(archive=b"code", sha256="0" * 64)
    where = places(SageMakerOptions.read(NEEDED), name, spec, source.sha256)
    store_channels(Bucket(client, "runs"), where, spec, source, {})
    return f"{where.channel('train')}train.jsonl"


def test_s3_copies_what_it_has_itself_and_once(client: Any, in_s3: None, monkeypatch: pytest.MonkeyPatch) -> None:
    default_storage.save(KEY, io.BytesIO(ROWS))
    monkeypatch.setattr(S3Storage, "open", None)
    name = new_name()
    key = store(client, name)
    default_storage.delete(KEY)
    assert store(client, name) == key
    assert client.get_object(Bucket="runs", Key=key)["Body"].read() == ROWS


def test_other_storage_is_read_once(client: Any) -> None:
    default_storage.delete(KEY)
    default_storage.save(KEY, io.BytesIO(ROWS))
    name = new_name()
    key = store(client, name)
    default_storage.delete(KEY)
    assert store(client, name) == key
    assert client.get_object(Bucket="runs", Key=key)["Body"].read() == ROWS


@pytest.mark.parametrize("storage", ["folder", "S3"])
def test_an_input_that_is_gone_fails_for_good(storage: str, client: Any, request: pytest.FixtureRequest) -> None:
    if storage == "S3":
        request.getfixturevalue("in_s3")
    with pytest.raises(ComputeError) as caught:
        store(client, new_name())
    assert (caught.value.code, caught.value.temporary) == ("platform:input_missing", False)


@pytest.mark.parametrize(
    ("own", "read"),
    [("s3://models/own", "s3://models/own/"), ("", "s3://models/base/")],
    ids=["its own", "the settings'"],
)
def test_a_base_model_is_read_from_its_own_location_first(client: Any, own: str, read: str) -> None:
    spec = ComputeSpec(module="lorakit.train", spec={"base_model": "/models/base"}, base_uri=own)
    source = Source(archive=b"code", sha256="0" * 64)
    where = places(SageMakerOptions.read(NEEDED), new_name(), spec, source.sha256)
    base_models = {"/models/base": "s3://models/base"}
    assert store_channels(Bucket(client, "runs"), where, spec, source, base_models)["base"] == read


def test_a_base_model_without_a_location_fails_for_good(client: Any) -> None:
    spec = ComputeSpec(module="lorakit.train", spec={"base_model": "/models/other"})
    source = Source(archive=b"code", sha256="0" * 64)
    where = places(SageMakerOptions.read(NEEDED), new_name(), spec, source.sha256)
    with pytest.raises(ComputeError) as caught:
        store_channels(Bucket(client, "runs"), where, spec, source, {"/models/base": "s3://models/base"})
    assert (caught.value.code, caught.value.temporary) == ("platform:base_model_not_in_s3", False)


@pytest.mark.parametrize(
    ("location", "place"),
    [("s3://own/", "s3://own/"), ("/models/base", "s3://models/base"), ("/models/other", "")],
    ids=["in S3", "copied", "neither"],
)
def test_a_base_model_has_a_place_if_it_is_in_s3(location: str, place: str) -> None:
    assert place_of_base_model(location, {"/models/base": "s3://models/base"}) == place


def test_aws_takes_the_channels_of_as_many_models_as_a_generation_may_ask(client: Any) -> None:
    """No target takes the place of another channel, and every name is one that AWS takes."""
    targets = ("base", *(f"v{number}-{'x' * 57}" for number in range(MAX_TARGETS - 1)))
    generation = GenerateSpec(base_model="/models/base", targets=targets)
    inputs: dict[str, tuple[InputFile, ...]] = {"prompts": (InputFile(key=KEY, filename="rows.jsonl"),)}
    inputs |= {target: (InputFile(key=KEY, filename="adapter.tar.gz"),) for target in targets if target != "base"}
    default_storage.delete(KEY)
    default_storage.save(KEY, io.BytesIO(ROWS))
    name = new_name()
    spec = ComputeSpec(module="lorakit.generate", spec=asdict(generation), inputs=inputs, tags={"tenant": TENANT})
    source, options = Source(archive=b"code", sha256="0" * 64), SageMakerOptions.read(NEEDED)
    where = places(options, name, spec, source.sha256)
    base_models = {"/models/base": "s3://models/base"}
    channels = store_channels(Bucket(client, "runs"), where, spec, source, base_models)
    assert channels.keys() == {*RESERVED_TARGETS, *targets}
    assert channels["base"] == "s3://models/base/"
    assert len(channels) <= 20
    request = training_job(name, spec, options, where, IMAGE, channels)
    check_request("CreateTrainingJob", request)
    check_together(request)
