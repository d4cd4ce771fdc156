"""SageMaker's AI workload configurations and recommendation jobs.

AWS tries instances with real requests; the stand-in calculates (`standin.sizing`). Their errors for names are
ResourceNotFound and ResourceInUse, unlike those of hosting.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from standin.errors import AwsError, invalid
from standin.hosting.listing import Request, page
from standin.objects import Objects
from standin.sizing import recommended

SPECIFICATION = {"benchmark", "parameters", "secrets", "tooling"}
PARAMETERS = {
    "prompt_input_tokens_mean", "prompt_input_tokens_stddev", "output_tokens_mean", "output_tokens_stddev",
    "concurrency", "request_count", "request_rate", "benchmark_duration", "streaming", "tokenizer",
}  # fmt: skip
"""Those of AWS's many that anybody here sends; AWS refuses unknown ones, too."""


@dataclass(kw_only=True)
class Workload:
    """A workload configuration."""

    name: str
    arn: str
    request: Request
    created_at: float

    @property
    def parameters(self) -> dict[str, Any]:
        specification = self.request.get("AIWorkloadConfigs", {}).get("WorkloadSpec", {})
        found: dict[str, Any] = json.loads(specification.get("Inline", "{}")).get("parameters", {})
        return found


@dataclass(kw_only=True)
class Job:
    """A recommendation job; `settles_at` is when it is over, with `found` or for `failure_reason`."""

    name: str
    arn: str
    request: Request
    created_at: float
    settles_at: float
    found: Sequence[Request]
    failure_reason: str = ""
    status: str = "InProgress"
    ended_at: float | None = None

    @property
    def modified_at(self) -> float:
        return self.created_at if self.ended_at is None else self.ended_at

    def advance(self, now: float) -> None:
        if self.status in ("InProgress", "Stopping") and now >= self.settles_at:
            over = "Failed" if self.failure_reason else "Completed"
            self.status = "Stopped" if self.status == "Stopping" else over
            self.ended_at = now


class Recommendations:
    """Workload configurations and jobs by name. A job takes `seconds`."""

    def __init__(self, *, region: str, account: str, objects: Objects, seconds: float) -> None:
        self._arn = f"arn:aws:sagemaker:{region}:{account}"
        self._objects = objects
        self.seconds = seconds
        self.workloads: dict[str, Workload] = {}
        self.jobs: dict[str, Job] = {}
        self.operations = {
            "CreateAIWorkloadConfig": self.create_workload,
            "DescribeAIWorkloadConfig": self.describe_workload,
            "DeleteAIWorkloadConfig": self.delete_workload,
            "CreateAIRecommendationJob": self.create,
            "DescribeAIRecommendationJob": self.describe,
            "ListAIRecommendationJobs": self.list,
            "StopAIRecommendationJob": self.stop,
            "DeleteAIRecommendationJob": self.delete,
        }

    def advance(self, now: float) -> None:
        for job in self.jobs.values():
            job.advance(now)

    def create_workload(self, request: Request, now: float) -> Request:
        name = request["AIWorkloadConfigName"]
        if name in self.workloads:
            raise AwsError("ResourceInUse", f"AI workload config {name} already exists.")
        check_specification(request.get("AIWorkloadConfigs", {}).get("WorkloadSpec", {}))
        arn = f"{self._arn}:ai-workload-config/{name}"
        self.workloads[name] = Workload(name=name, arn=arn, request=request, created_at=now)
        return {"AIWorkloadConfigArn": arn}

    def describe_workload(self, request: Request, now: float) -> Request:
        found = self._workload(request["AIWorkloadConfigName"])
        told: Request = {
            name: found.request[name] for name in ("DatasetConfig", "AIWorkloadConfigs") if name in found.request
        }
        names = {"AIWorkloadConfigName": found.name, "AIWorkloadConfigArn": found.arn}
        return {**names, **told, "CreationTime": found.created_at}

    def delete_workload(self, request: Request, now: float) -> Request:
        found = self._workload(request["AIWorkloadConfigName"])
        del self.workloads[found.name]
        return {"AIWorkloadConfigArn": found.arn}

    def create(self, request: Request, now: float) -> Request:
        name = request["AIRecommendationJobName"]
        if name in self.jobs:
            raise AwsError("ResourceInUse", f"AI recommendation job {name} already exists.")
        workload = self._workload(request["AIWorkloadConfigIdentifier"].rpartition("/")[2])
        check_job(request)
        failure = ""
        found: Sequence[Request] = ()
        try:
            found = recommended(self._objects, request, workload.parameters, arn=self._arn)
        except ValueError as error:
            # Read by the job itself, so AWS tells of it later.
            failure = str(error)
        self.jobs[name] = Job(
            name=name,
            arn=f"{self._arn}:ai-recommendation-job/{name}",
            request=request,
            created_at=now,
            settles_at=now + self.seconds,
            found=found,
            failure_reason=failure,
        )
        return {"AIRecommendationJobArn": self.jobs[name].arn}

    def describe(self, request: Request, now: float) -> Request:
        job = self._job(request["AIRecommendationJobName"])
        members = ("ModelSource", "OutputConfig", "AIWorkloadConfigIdentifier", "PerformanceTarget", "RoleArn",
                   "InferenceSpecification", "OptimizeModel", "ComputeSpec", "AdapterSource", "Tags")  # fmt: skip
        described: Request = {
            "AIRecommendationJobName": job.name,
            "AIRecommendationJobArn": job.arn,
            "AIRecommendationJobStatus": job.status,
            "CreationTime": job.created_at,
            "StartTime": job.created_at,
            **{name: job.request[name] for name in members if name in job.request},
        }
        if job.ended_at is not None:
            described["EndTime"] = job.ended_at
        if job.status == "Completed":
            described["Recommendations"] = [*job.found]
        return described | ({"FailureReason": job.failure_reason} if job.status == "Failed" else {})

    def list(self, request: Request, now: float) -> Request:
        return page(self.jobs.values(), request, "AIRecommendationJobs", _summary)

    def stop(self, request: Request, now: float) -> Request:
        job = self._job(request["AIRecommendationJobName"])
        if job.status != "InProgress":
            raise invalid(f"The job is in status {job.status}.")
        job.status = "Stopping"
        return {"AIRecommendationJobArn": job.arn}

    def delete(self, request: Request, now: float) -> Request:
        job = self._job(request["AIRecommendationJobName"])
        if job.status in ("InProgress", "Stopping"):
            raise AwsError("ResourceInUse", f"The job is in status {job.status}.")
        del self.jobs[job.name]
        return {"AIRecommendationJobArn": job.arn}

    def _workload(self, name: str) -> Workload:
        if name not in self.workloads:
            raise AwsError("ResourceNotFound", f"AI workload config {name} does not exist.")
        return self.workloads[name]

    def _job(self, name: str) -> Job:
        if name not in self.jobs:
            raise AwsError("ResourceNotFound", f"AI recommendation job {name} does not exist.")
        return self.jobs[name]


def check_specification(specification: Request) -> None:
    """What the service model does not contain: the specification's own keys."""
    if set(specification) != {"Inline"}:
        raise invalid("WorkloadSpec must have exactly one member.")
    try:
        document = json.loads(specification["Inline"])
    except ValueError:
        raise invalid("WorkloadSpec.Inline must be a JSON document.") from None
    if not isinstance(document, dict) or document.get("benchmark") != {"type": "aiperf"}:
        raise invalid("benchmark/type must be aiperf.")
    unknown = sorted({*document} - SPECIFICATION | {*document.get("parameters", {})} - PARAMETERS)
    if unknown:
        raise invalid(f"Unknown keys in the workload specification: {', '.join(unknown)}.")


def check_job(request: Request) -> None:
    """Rules between members, which the service model does not contain."""
    for member, union in (("ModelSource", request["ModelSource"]), ("AdapterSource", request.get("AdapterSource"))):
        if union is not None and len(union) != 1:
            raise invalid(f"{member} must have exactly one member.")
    entries: list[Request] = next(iter(request.get("AdapterSource", {}).values()), [])
    names = [one["AdapterId"] for one in entries]
    if len(set(names)) < len(names):
        raise invalid("AdapterId must be unique within the request.")
    if "S3OutputLocation" not in request["OutputConfig"]:
        raise invalid("OutputConfig needs S3OutputLocation.")
    if len(request["PerformanceTarget"]["Constraints"]) != 1:
        raise invalid("PerformanceTarget needs exactly one constraint.")


def _summary(job: Job) -> Request:
    summary: Request = {
        "AIRecommendationJobName": job.name,
        "AIRecommendationJobArn": job.arn,
        "AIRecommendationJobStatus": job.status,
        "CreationTime": job.created_at,
    }
    return summary | ({"EndTime": job.ended_at} if job.ended_at is not None else {})
