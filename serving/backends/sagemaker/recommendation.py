"""AI recommendation jobs: SageMaker tries a base with up to ten adapters on instances and says how it performed."""

import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from jobs.backends.sagemaker.bucket import Bucket
from jobs.backends.sagemaker.errors import code_of
from lorakit.errors import PackageError
from lorakit.package import unpack
from serving.backends.base import Package
from serving.backends.errors import EndpointError
from serving.backends.recommending import Outcome, Question, Recommendation
from serving.backends.sagemaker.errors import translated
from serving.backends.sagemaker.plan import Plan
from storage.errors import ObjectMissing
from storage.objects import get_file

STATUS = {"Completed": "completed", "Failed": "failed", "Stopped": "stopped"}
IN_USE, MISSING = "ResourceInUse", "ResourceNotFound"
DEVIATION = 0.3
"""Of the tokens of a request, as a share of their mean."""


class SageMakerRecommender:
    """The jobs of one endpoint. Adapters are copied to `prefix` of the bucket, unpacked as SageMaker reads them."""

    def __init__(self, client: Any, plan: Plan, bucket: Bucket, prefix: str) -> None:
        self._client = client
        self._plan = plan
        self._bucket = bucket
        self._prefix = prefix

    def start(self, name: str, question: Question) -> None:
        for adapter, package in question.adapters.items():
            self._store(f"{self._folder(name)}adapters/{adapter}/", package)
        with translated("asking for recommendations"):
            _once(
                self._client.create_ai_workload_config,
                AIWorkloadConfigName=name,
                AIWorkloadConfigs={"WorkloadSpec": {"Inline": json.dumps(workload(question))}},
                Tags=self._plan.tag_list,
            )
            _once(self._client.create_ai_recommendation_job, **self._job(name, question))

    def look(self, name: str) -> Outcome:
        with translated("reading recommendations"):
            try:
                job = self._client.describe_ai_recommendation_job(AIRecommendationJobName=name)
            except ClientError as error:
                if code_of(error) != MISSING:
                    raise
                return Outcome(status="failed", text="The recommendation job is no longer in AWS.")
        status: Any = STATUS.get(job["AIRecommendationJobStatus"], "running")
        found = tuple(_recommendation(one) for one in job.get("Recommendations", ()))
        return Outcome(status=status, text=str(job.get("FailureReason", "")), recommendations=found)

    def clear(self, name: str) -> None:
        with translated("removing what recommendations needed"):
            self._bucket.delete_prefix(self._folder(name))
            try:
                self._client.delete_ai_workload_config(AIWorkloadConfigName=name)
            except ClientError as error:
                if code_of(error) != MISSING:
                    raise

    def _job(self, name: str, question: Question) -> dict[str, Any]:
        request: dict[str, Any] = {
            "AIRecommendationJobName": name,
            "ModelSource": {"S3": {"S3Uri": self._plan.model_uri}},
            "OutputConfig": {"S3OutputLocation": self._bucket.uri(f"{self._folder(name)}output/")},
            "AIWorkloadConfigIdentifier": name,
            "PerformanceTarget": {"Constraints": [{"Metric": question.goal}]},
            "RoleArn": self._plan.role_arn,
            # The base stays as it was evaluated: optimisations would change its answers.
            "OptimizeModel": False,
            "Tags": self._plan.tag_list,
        }
        if question.adapters:
            uris = {one: self._bucket.uri(f"{self._folder(name)}adapters/{one}/") for one in question.adapters}
            entries = [{"AdapterId": one, "S3Uri": uri} for one, uri in uris.items()]
            request["AdapterSource"] = {"S3Uris": entries}
        if question.machines:
            request["ComputeSpec"] = {"InstanceTypes": list(question.machines)}
        return request

    def _folder(self, name: str) -> str:
        return f"{self._prefix}recommendations/{name}/"

    def _store(self, folder: str, package: Package) -> None:
        with tempfile.TemporaryDirectory(prefix="adapter-portal-") as scratch:
            path, unpacked = Path(scratch) / "adapter.tar.gz", Path(scratch) / "adapter"
            try:
                get_file(package.key, path)
                unpack(path, unpacked)
            except (ObjectMissing, PackageError) as error:
                text = "An adapter’s package is missing from storage or damaged."
                raise EndpointError("deployment:package_missing", text, temporary=False) from error
            with translated("storing an adapter in S3"):
                for file in unpacked.iterdir():
                    with file.open("rb") as content:
                        self._bucket.upload(f"{folder}{file.name}", content)


def workload(question: Question) -> dict[str, Any]:
    """The requests to try it with, as SageMaker's workload specification describes them."""
    return {
        "benchmark": {"type": "aiperf"},
        "parameters": {
            "prompt_input_tokens_mean": question.input_tokens,
            "prompt_input_tokens_stddev": round(question.input_tokens * DEVIATION, 1),
            "output_tokens_mean": question.output_tokens,
            "output_tokens_stddev": round(question.output_tokens * DEVIATION, 1),
            "concurrency": question.concurrency,
        },
        "tooling": {"api_standard": "openai"},
    }


def _once(create: Any, **request: Any) -> None:
    """Create it, unless an earlier try did."""
    try:
        create(**request)
    except ClientError as error:
        if code_of(error) != IN_USE:
            raise


def _recommendation(found: Mapping[str, Any]) -> Recommendation:
    deployment = found.get("DeploymentConfiguration", {})
    performance = tuple(
        (
            " ".join(filter(None, (one["Metric"], one.get("Stat")))),
            " ".join(filter(None, (one["Value"], one.get("Unit")))),
        )
        for one in found.get("ExpectedPerformance", ())
    )
    return Recommendation(
        machine=str(deployment.get("InstanceType", "")),
        machines=int(deployment.get("InstanceCount", 1)),
        copies=int(deployment.get("CopyCountPerInstance", 1)),
        memory_mb=deployment.get("MinCpuMemoryRequiredInMb"),
        performance=performance,
    )
