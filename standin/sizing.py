"""What a recommendation job answers: the instance types on whose GPU a base fits with its adapters, and how fast it is.

The memory is that of vLLM for the shape in the base's `config.json`; the speed is what the GPU's bandwidth allows.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from lorakit.capacity.machines import GIB, MIB, ONE_GPU, usable_gpu_bytes
from lorakit.capacity.plan import Plan, plan_of
from lorakit.capacity.ranks import RANKS, rounded_rank
from lorakit.capacity.setup import Setup
from lorakit.capacity.shape import Shape, shape_of
from standin.hosting.listing import Request
from standin.objects import Objects, split_uri

BANDWIDTH = {"ml.g6.xlarge": 300e9, "ml.g5.xlarge": 600e9, "ml.g6e.xlarge": 864e9, "ml.p5.4xlarge": 3350e9}
"""Bytes a second of one GPU's memory, from NVIDIA's data sheets of L4, A10G, L40S and H100."""

USUAL_BANDWIDTH = 600e9
USUAL_GIB = 24


def recommended(objects: Objects, request: Request, parameters: Mapping[str, Any], *, arn: str) -> Sequence[Request]:
    """The recommendations of a job, the best for its goal first. Raises ValueError for what only the job finds out."""
    uris = request.get("AdapterSource", {}).get("S3Uris", [])
    rank = rounded_rank(max((_rank(objects, one["S3Uri"]) for one in uris), default=1))
    shape = _shape(objects, request["ModelSource"]["S3"]["S3Uri"])
    context = int(parameters.get("prompt_input_tokens_mean", 550)) + int(parameters.get("output_tokens_mean", 150))
    machines = request.get("ComputeSpec", {}).get("InstanceTypes") or ONE_GPU
    plans = {machine: _plan(shape, machine, adapters=len(uris), rank=rank, context=context) for machine in machines}
    fitting = [machine for machine, plan in plans.items() if plan.fits]
    if not fitting:
        raise ValueError("No requested instance type has enough memory for the model and its adapters.")
    goal = request["PerformanceTarget"]["Constraints"][0]["Metric"]
    # Smaller GPUs cost less; the others answer faster.
    fitting.sort(key=lambda machine: BANDWIDTH.get(machine, USUAL_BANDWIDTH), reverse=goal != "cost")
    batch = int(parameters.get("concurrency", 1))
    details = _adapters(request, arn)
    return [_recommendation(one, plans[one], batch=batch, context=context) | details for one in fitting]


def _shape(objects: Objects, uri: str) -> Shape:
    config = _read(objects, uri, "config.json")
    shape = None if config is None else shape_of(json.loads(config))
    if shape is None:
        raise ValueError("The model source holds no model in Hugging Face's format.")
    return shape


def _plan(shape: Shape, machine: str, *, adapters: int, rank: int, context: int) -> Plan:
    slots = max(1, adapters)
    setup = Setup(
        engine="vllm", precision="bf16", device_bytes=usable_gpu_bytes(machine) or USUAL_GIB * GIB,
        slots=slots, host_adapters=slots, max_rank=rank, context=context, width=256,
    )  # fmt: skip
    return plan_of(shape, setup)


def _rank(objects: Objects, uri: str) -> int:
    config = _read(objects, uri, "adapter_config.json")
    weights = (_read(objects, uri, name) for name in ("adapter_model.safetensors", "adapter_model.bin"))
    if config is None or not any(weights):
        raise ValueError(f"The adapter at {uri} needs adapter_config.json and its weights.")
    rank = json.loads(config).get("r")
    if not isinstance(rank, int) or not 1 <= rank <= RANKS[-1]:
        raise ValueError(f"The rank of the adapter at {uri} must be from 1 to {RANKS[-1]}.")
    return rank


def _read(objects: Objects, uri: str, name: str) -> bytes | None:
    bucket, prefix = split_uri(uri)
    return objects.read(bucket, f"{prefix.rstrip('/')}/{name}")


def _adapters(request: Request, arn: str) -> Request:
    uris = request.get("AdapterSource", {}).get("S3Uris")
    if not uris:
        return {}
    group = f"{arn}:model-package/{request['AIRecommendationJobName']}-adapters"
    packages = [{"AdapterId": one["AdapterId"], "ModelPackageArn": f"{group}/{at}"} for at, one in enumerate(uris, 1)]
    return {"AdapterDetails": {"S3Uris": uris, "ModelPackageArns": packages}}


def _recommendation(machine: str, plan: Plan, *, batch: int, context: int) -> Request:
    bandwidth = BANDWIDTH.get(machine, USUAL_BANDWIDTH)
    batch = max(1, min(batch, plan.sequences(context)))
    # A step reads the weights once, and the cache of each row.
    step_seconds = (plan.base + batch * context * plan.token) / bandwidth
    tokens = batch / step_seconds
    return {
        "RecommendationDescription": f"{machine} with up to {plan.setup.slots} adapters of rank {plan.setup.slot_rank}",
        "OptimizationDetails": [],
        "ModelDetails": {"InstanceDetails": [{"InstanceType": machine, "InstanceCount": 1, "CopyCountPerInstance": 1}]},
        "DeploymentConfiguration": {
            "InstanceType": machine,
            "InstanceCount": 1,
            "CopyCountPerInstance": 1,
            "MinCpuMemoryRequiredInMb": max(1024, 2 * (plan.base + plan.host) // MIB),
            "EnvironmentVariables": {
                "SM_VLLM_MAX_LORAS": str(plan.setup.slots),
                "SM_VLLM_MAX_LORA_RANK": str(plan.setup.slot_rank),
            },
        },
        "ExpectedPerformance": [
            {"Metric": "throughput", "Stat": "average", "Value": f"{tokens:.1f}", "Unit": "tokens/second"},
            {"Metric": "itl", "Stat": "p50", "Value": f"{step_seconds * 1000:.2f}", "Unit": "ms"},
        ],
    }
