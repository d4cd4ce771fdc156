"""SageMaker's training operations."""

import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from standin.clock import Clock
from standin.errors import AwsError, invalid, not_found
from standin.objects import LogWriter, Objects
from standin.training_job import ContainerFactory, Timing, TrainingJob, job_arn

Request = dict[str, Any]

SORT_KEYS: dict[str, Callable[[TrainingJob], Any]] = {
    "CreationTime": lambda job: job.created_at,
    "Name": lambda job: job.name,
    "Status": lambda job: job.status,
}


class TrainingJobs:
    """`limits` is the account's quota by instance type; `created` counts the jobs really created, by name."""

    def __init__(
        self,
        *,
        folder: Path,
        clock: Clock,
        timing: Timing,
        objects: Objects,
        logs: LogWriter,
        container: ContainerFactory,
        region: str,
        account: str,
    ) -> None:
        self.jobs: dict[str, TrainingJob] = {}
        self.created: Counter[str] = Counter()
        self.limits: dict[str, int] = {}
        self.has_capacity = True
        self._folder = folder
        self._clock = clock
        self._timing = timing
        self._objects = objects
        self._logs = logs
        self._container = container
        self._region = region
        self._account = account
        self._lock = threading.RLock()
        self.operations = {
            "CreateTrainingJob": self.create,
            "DescribeTrainingJob": self.describe,
            "ListTrainingJobs": self.list,
            "StopTrainingJob": self.stop,
        }

    def handle(self, operation: str, request: Request) -> Request:
        """Advance every job to the present, then answer an operation."""
        with self._lock:
            self.advance()
            return self.operations[operation](request)

    def advance(self) -> None:
        """Advance every job to the present."""
        with self._lock:
            for job in self.jobs.values():
                job.has_capacity = self.has_capacity
                job.advance(self._clock.now())

    def interrupt(self, name: str) -> None:
        """Interrupt a job's spot machine."""
        with self._lock:
            self.jobs[name].interrupt()

    def close(self) -> None:
        """Kill every container."""
        with self._lock:
            for job in self.jobs.values():
                job.close()

    def tags(self, arn: str) -> list[dict[str, str]] | None:
        """The tags of a training job, or None for any other ARN."""
        with self._lock:
            for job in self.jobs.values():
                if job.arn == arn:
                    return list(job.request.get("Tags", ()))
        return None

    def create(self, request: Request) -> Request:
        name = request["TrainingJobName"]
        arn = job_arn(self._region, self._account, name)
        check_together(request)
        if name in self.jobs:
            raise AwsError("ResourceInUse", f"Job name must be unique within an AWS account and region ({arn})")
        self._check_quota(request["ResourceConfig"])
        request.setdefault("StoppingCondition", {}).setdefault("MaxRuntimeInSeconds", 86_400)
        self.jobs[name] = TrainingJob(
            request,
            arn=arn,
            at=self._clock.now(),
            folder=self._folder / name,
            timing=self._timing,
            objects=self._objects,
            logs=self._logs,
            container=self._container,
        )
        self.created[name] += 1
        return {"TrainingJobArn": arn}

    def describe(self, request: Request) -> Request:
        return self._find(request).describe(self._clock.now())

    def stop(self, request: Request) -> Request:
        job = self._find(request)
        if job.is_over or job.status == "Stopping":
            raise invalid(f"The request was rejected because the training job is in status {job.status}.")
        job.stop(self._clock.now())
        return {}

    def list(self, request: Request) -> Request:
        jobs = [job for job in self.jobs.values() if _matches(job, request)]
        key = SORT_KEYS[request.get("SortBy", "CreationTime")]
        jobs.sort(key=key, reverse=request.get("SortOrder", "Ascending") == "Descending")
        token, size = request.get("NextToken", "0"), int(request.get("MaxResults", 10))
        if not token.isdecimal():
            raise invalid("Invalid NextToken.")
        start = int(token)
        page: Request = {"TrainingJobSummaries": [_summary(job) for job in jobs[start : start + size]]}
        return page | ({"NextToken": str(start + size)} if start + size < len(jobs) else {})

    def _find(self, request: Request) -> TrainingJob:
        job = self.jobs.get(request["TrainingJobName"])
        if job is None:
            raise not_found()
        return job

    def _check_quota(self, resources: Request) -> None:
        kind = resources["InstanceType"]
        if kind not in self.limits:
            return
        used = sum(
            job.request["ResourceConfig"]["InstanceCount"]
            for job in self.jobs.values()
            if not job.is_over and job.request["ResourceConfig"]["InstanceType"] == kind
        )
        if used + resources["InstanceCount"] > self.limits[kind]:
            raise AwsError(
                "ResourceLimitExceeded",
                f"The account-level service limit '{kind} for training job usage' is {self.limits[kind]} Instances, "
                f"with current utilization of {used} Instances and a request delta of {resources['InstanceCount']} "
                "Instances. Please use AWS Service Quotas to request an increase for this quota.",
            )


def check_together(request: Request) -> None:
    """Check rules between members, which the service model does not contain."""
    algorithm, stopping = request.get("AlgorithmSpecification", {}), request.get("StoppingCondition", {})
    resources = request.get("ResourceConfig", {})
    if ("TrainingImage" in algorithm) == ("AlgorithmName" in algorithm):
        raise invalid("You must specify exactly one of TrainingImage and AlgorithmName.")
    if "ContainerArguments" in algorithm and "ContainerEntrypoint" not in algorithm:
        raise invalid("ContainerArguments needs ContainerEntrypoint.")
    if not {"InstanceType", "InstanceCount", "VolumeSizeInGB"} <= resources.keys():
        raise invalid("ResourceConfig needs InstanceType, InstanceCount and VolumeSizeInGB.")
    if resources["InstanceCount"] < 1 or resources["VolumeSizeInGB"] < 1:
        raise invalid("InstanceCount and VolumeSizeInGB must be at least 1.")
    spot, longest_wait = request.get("EnableManagedSpotTraining", False), stopping.get("MaxWaitTimeInSeconds")
    if spot != (longest_wait is not None):
        raise invalid("MaxWaitTimeInSeconds is needed with EnableManagedSpotTraining, and with it only.")
    if longest_wait is not None and longest_wait < stopping.get("MaxRuntimeInSeconds", 86_400):
        raise invalid("Invalid MaxWaitTimeInSeconds. It must be equal to or greater than MaxRuntimeInSeconds.")
    channels = [channel["ChannelName"] for channel in request.get("InputDataConfig", ())]
    if len(channels) != len(set(channels)):
        raise invalid("Channel names must be unique.")


def _matches(job: TrainingJob, request: Request) -> bool:
    times = {"CreationTime": job.created_at, "LastModifiedTime": job.modified_at}
    return (
        request.get("NameContains", "") in job.name
        and request.get("StatusEquals", job.status) == job.status
        and all(request.get(f"{name}After", at) <= at <= request.get(f"{name}Before", at) for name, at in times.items())
    )


def _summary(job: TrainingJob) -> Request:
    summary: Request = {
        "TrainingJobName": job.name,
        "TrainingJobArn": job.arn,
        "CreationTime": job.created_at,
        "LastModifiedTime": job.modified_at,
        "TrainingJobStatus": job.status,
        "SecondaryStatus": job.secondary,
    }
    return summary | ({"TrainingEndTime": job.ended_at} if job.ended_at is not None else {})
