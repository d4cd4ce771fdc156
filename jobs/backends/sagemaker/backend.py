"""Runs compute as SageMaker training jobs: submit under a chosen name, describe, read logs, stop, fetch.

SageMaker has no client token for training jobs, so a deterministic name keeps a run from starting twice. If the name
already exists, the job is adopted if its tags match. After a time-out nothing is known, so the job is looked up.
"""

import copy
import datetime as dt
import json
import tempfile
from dataclasses import fields, replace
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Self

import boto3
import structlog
from botocore.config import Config
from botocore.exceptions import ClientError

from jobs.backends.base import ComputeBackend, ComputeError, ComputeSpec, Observation, RunState, Unavailable
from jobs.backends.sagemaker.bucket import Bucket
from jobs.backends.sagemaker.channels import place_of_base_model, store_channels
from jobs.backends.sagemaker.errors import code_of, is_missing, translated
from jobs.backends.sagemaker.events import (
    OVERLAP_MS,
    Line,
    events_of,
    file_lines,
    in_order,
    phase_events,
    read_log,
    read_tail,
)
from jobs.backends.sagemaker.image import look_up_image
from jobs.backends.sagemaker.model_trainer import is_installed, made_by_model_trainer
from jobs.backends.sagemaker.options import SageMakerOptions
from jobs.backends.sagemaker.registry import group_name, register_package
from jobs.backends.sagemaker.request import places, training_job
from jobs.backends.sagemaker.source import pack_source
from jobs.backends.sagemaker.status import Description, billable_seconds, cancelled, failed, failure, run_state
from jobs.prices import Priced
from lorakit.digest import file_sha256

logger = structlog.get_logger(__name__)

# A step has 90 seconds. These limits keep one call, with its retries, well within that.
CLIENT = Config(connect_timeout=5, read_timeout=15, retries={"mode": "standard", "total_max_attempts": 4})
NOT_ALLOWED = frozenset({"platform:aws_denied", "platform:aws_credentials"})
RESULT = "result.json"
PROGRESS = "progress.jsonl"


class SageMakerCompute(ComputeBackend):
    """Options: those of `SageMakerOptions`, in capitals; docs/sagemaker.md lists what each needs in AWS."""

    options: ClassVar[dict[str, Any]] = {
        **ComputeBackend.options,
        **{item.name.upper(): item.default for item in fields(SageMakerOptions)},
    }

    def __init__(self, alias: str, options: dict[str, Any]) -> None:
        super().__init__(alias, options)
        self._others: dict[str, Self] = {}
        own = {name: value for name, value in options.items() if name not in ComputeBackend.options}
        try:
            self.settings = SageMakerOptions.read(own)
        except TypeError as error:
            raise ValueError(str(error)) from error
        if not self._session.region_name:
            raise ValueError("Set REGION or AWS_DEFAULT_REGION")
        if self.settings.launcher == "model_trainer" and not is_installed():
            raise ValueError("LAUNCHER=model_trainer needs the `sagemaker` package (requirements/sagemaker.in)")
        self.image = self.settings.image or look_up_image(self._session.region_name, self.settings.instance_type)

    @property
    def priced(self) -> Priced:
        region: str = self._session.region_name
        return Priced(service="training", item=self.settings.instance_type, region=region)

    def on(self, machine: str) -> Self:
        if machine in ("", self.settings.instance_type):
            return self
        if machine not in self._others:
            other = copy.copy(self)
            other.settings = replace(self.settings, instance_type=machine)
            # The settings' price is that of their own instance type.
            other.usd_per_hour, other.price_source = None, ""
            # Kept with its clients, which take a fifth of a second to make.
            self._others[machine] = other
        return self._others[machine]

    def reads_base_model(self, location: str) -> bool:
        return bool(place_of_base_model(location, self.settings.base_models))

    def submit(self, name: str, spec: ComputeSpec) -> None:
        source = pack_source(self.settings.packages)
        where = places(self.settings, name, spec, source.sha256)
        channels = store_channels(self._bucket, where, spec, source, self.settings.base_models)
        request = training_job(name, spec, self.settings, where, self.image, channels)
        with translated("starting the training job"):
            if self.settings.launcher == "model_trainer":
                request = made_by_model_trainer(
                    request, boto_session=self._session, client=self._sagemaker, bucket=self.settings.bucket
                )
            try:
                self._sagemaker.create_training_job(**request)
            except ClientError as error:
                if code_of(error) != "ResourceInUse":
                    raise
                self._adopt(name, request["Tags"])

    def observe(self, name: str, cursor: int = 0) -> Observation:
        try:
            return self._look(name, cursor)
        except ComputeError as error:
            if error.code not in NOT_ALLOWED:
                raise
            # The run continues, and costs money, while access is denied. So the job waits until access is restored.
            raise Unavailable(error.code, error.text, after=60.0) from error

    def cancel(self, name: str) -> None:
        with translated("stopping the training job"):
            try:
                self._sagemaker.stop_training_job(TrainingJobName=name)
            except ClientError as error:
                # A job that has ended or never existed does not need stopping.
                if code_of(error) != "ValidationException" and not is_missing(error):
                    raise

    def fetch(self, name: str, artifact: str, destination: Path) -> None:
        job = self._describe(name)
        member = Path(artifact).name
        with tempfile.TemporaryDirectory(dir=destination.parent) as folder:
            key = self._output(job, "model.tar.gz") if job else ""
            if not key or not self._bucket.read_members(key, {member}, Path(folder)):
                text = f"The run left no {member} in S3. Start the job again."
                raise ComputeError("platform:artifact_missing", text, temporary=False)
            (Path(folder) / member).replace(destination)

    def log_tail(self, name: str, lines: int = 100) -> tuple[str, ...]:
        return read_tail(self._logs, name, lines)

    def discard(self, name: str, *, checkpoint_key: str = "") -> None:
        # The job itself stays in AWS as a record of what ran; only the tenant's data is deleted.
        job = self._describe(name)
        if job is None:
            return
        self._bucket.delete_prefix(self._output_prefix(job).removesuffix("output/"))
        if checkpoint_key:
            self._bucket.delete_prefix(self._bucket.key_of(job["CheckpointConfig"]["S3Uri"]))

    def register(self, name: str, package: Path, *, model: str, metadata: dict[str, str]) -> str:
        job = self._describe(name)
        if job is None:
            return ""
        tenant = self._output_prefix(job).split("runs/")[0]
        sha256 = file_sha256(package)
        # The registry gets its own copy, because the run's folder is deleted soon after the run.
        key = f"{tenant}registry/{sha256}.tar.gz"
        try:
            with package.open("rb") as content:
                self._bucket.upload(key, content)
            return register_package(
                self._sagemaker,
                group=group_name(tenant, model),
                model=model,
                package_uri=self._bucket.uri(key),
                image=self.settings.registry_image or self.image,
                metadata={"training_job": name, "package_sha256": sha256, **metadata},
                token=f"{name[-16:]}-{sha256[:16]}",
            )
        except Unavailable:
            raise
        except ComputeError as error:
            # The adapter is kept without its registry entry, which can be created later.
            logger.warning("model_not_registered", code=error.code, reason=error.text, run=name)
            return ""

    def _look(self, name: str, cursor: int) -> Observation:
        job = self._describe(name)
        if job is None:
            return Observation(state=RunState.MISSING)
        since = max(0, cursor - OVERLAP_MS)
        log = read_log(self._logs, name, since)
        state, result, kept = self._ending(job, log.containers)
        return Observation(
            state=state,
            events=in_order(phase_events(job, since), events_of([*log.lines, *kept])),
            cursor=max([cursor, *(line.at_ms for line in log.lines)]),
            result=result,
            billable_seconds=billable_seconds(job, dt.datetime.now(dt.UTC)),
        )

    def _adopt(self, name: str, tags: list[dict[str, str]]) -> None:
        """Accept an existing job of this name if its tags match. Raises ComputeError if somebody else created it."""
        job = self._describe(name)
        if job is None:
            return
        pages = self._sagemaker.get_paginator("list_tags").paginate(ResourceArn=job["TrainingJobArn"])
        found = {tag["Key"]: tag["Value"] for page in pages for tag in page["Tags"]}
        if any(found.get(tag["Key"]) != tag["Value"] for tag in tags):
            raise _foreign(name)

    def _describe(self, name: str) -> Description | None:
        with translated("reading the training job"):
            try:
                job: Description = self._sagemaker.describe_training_job(TrainingJobName=name)
            except ClientError as error:
                if is_missing(error):
                    return None
                raise
        self._output_prefix(job)
        return job

    def _ending(self, job: Description, containers: int) -> tuple[RunState, dict[str, Any], list[Line]]:
        """The run's state, its result document once it has ended, and event lines read from its output, not its log."""
        state = run_state(job)
        if state is RunState.RUNNING:
            return state, {}, []
        if state is RunState.FAILED:
            return state, failure(job), []
        if state is RunState.STOPPED:
            return state, cancelled(), []
        try:
            return state, *self._read_result(job, containers)
        except Unavailable:
            raise
        except ComputeError as error:
            if error.code in NOT_ALLOWED:
                raise
            # A run without a result has failed. Its cost is still known.
            return RunState.FAILED, failed(error.code, error.text, temporary=error.temporary), []

    def _read_result(self, job: Description, containers: int) -> tuple[dict[str, Any], list[Line]]:
        """A completed run's result document, and the events of its last container, which the log may show later."""
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            if RESULT not in self._bucket.read_members(self._output(job, "output.tar.gz"), {RESULT, PROGRESS}, folder):
                text = "The run ended without a result in S3. Start the job again."
                raise ComputeError("platform:artifact_missing", text, temporary=False)
            result: dict[str, Any] = json.loads((folder / RESULT).read_bytes())
            return result, file_lines(folder / PROGRESS, max(1, containers))

    def _output_prefix(self, job: Description) -> str:
        """The key prefix of a job's output, which identifies our jobs. Raises ComputeError for anybody else's."""
        name, uri = job["TrainingJobName"], f"{job['OutputDataConfig']['S3OutputPath'].rstrip('/')}/"
        if not uri.startswith(self._bucket.uri(self.settings.prefix)) or not uri.endswith(f"/runs/{name}/output/"):
            raise _foreign(name)
        return self._bucket.key_of(uri)

    def _output(self, job: Description, archive: str) -> str:
        return f"{self._output_prefix(job)}{job['TrainingJobName']}/output/{archive}"

    @cached_property
    def _session(self) -> Any:
        return boto3.Session(region_name=self.settings.region or None)

    def _client(self, service: str) -> Any:
        return self._session.client(service, config=CLIENT, endpoint_url=self.settings.endpoint_url or None)

    @cached_property
    def _sagemaker(self) -> Any:
        return self._client("sagemaker")

    @cached_property
    def _logs(self) -> Any:
        return self._client("logs")

    @cached_property
    def _bucket(self) -> Bucket:
        return Bucket(self._client("s3"), self.settings.bucket, kms_key_id=self.settings.kms_key_id)


def _foreign(name: str) -> ComputeError:
    text = f"AWS already has a training job named {name} that another site created. Ask your site’s operator."
    return ComputeError("platform:name_taken", text, temporary=False)
