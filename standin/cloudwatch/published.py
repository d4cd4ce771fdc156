"""What SageMaker publishes of endpoints of inference components: metrics, their dimensions and their statistics.

Nothing here is published under other dimensions, and a statistic that a metric does not offer has no data.
"""

from collections.abc import Mapping
from dataclasses import dataclass

SAGEMAKER = "AWS/SageMaker"
OF_COMPONENTS = "/aws/sagemaker/InferenceComponents"
OF_ENDPOINTS = "/aws/sagemaker/Endpoints"

COMPONENT = frozenset({"InferenceComponentName"})
VARIANT = frozenset({"EndpointName", "VariantName"})

SUM = frozenset({"Sum"})
SHARE = frozenset({"Average", "Sum"})
RANGE = frozenset({"Minimum", "Maximum"})
LEVEL = frozenset({"Average", "Minimum", "Maximum"})
TIMES = frozenset({"Average", "Sum", "Minimum", "Maximum", "SampleCount"})


@dataclass(frozen=True)
class Published:
    """A metric: the sets of dimensions under which it exists, and its statistics."""

    dimensions: tuple[frozenset[str], ...]
    statistics: frozenset[str]
    has_percentiles: bool = False

    def offers(self, statistic: str) -> bool:
        """Whether the metric has this statistic, such as "Sum" or "p95"."""
        return self.has_percentiles if statistic.startswith("p") else statistic in self.statistics


BOTH = (COMPONENT, VARIANT)
PUBLISHED: dict[tuple[str, str], Published] = {
    (SAGEMAKER, "Invocations"): Published(BOTH, SUM),
    (SAGEMAKER, "Invocation4XXErrors"): Published(BOTH, SHARE),
    (SAGEMAKER, "Invocation5XXErrors"): Published(BOTH, SHARE),
    (SAGEMAKER, "InvocationModelErrors"): Published(BOTH, SHARE),
    (SAGEMAKER, "ModelLatency"): Published(BOTH, TIMES, has_percentiles=True),
    (SAGEMAKER, "OverheadLatency"): Published(BOTH, TIMES),
    (SAGEMAKER, "FirstChunkLatency"): Published((VARIANT,), TIMES, has_percentiles=True),
    (SAGEMAKER, "FirstChunkModelLatency"): Published((VARIANT,), TIMES, has_percentiles=True),
    (SAGEMAKER, "FirstChunkOverheadLatency"): Published((VARIANT,), TIMES),
    (SAGEMAKER, "MidStreamErrors"): Published((VARIANT,), SHARE),
    (SAGEMAKER, "ConcurrentRequestsPerCopy"): Published((COMPONENT,), RANGE),
    (SAGEMAKER, "InvocationsPerCopy"): Published((COMPONENT,), SUM),
    (SAGEMAKER, "NoCapacityInvocationFailures"): Published((COMPONENT,), SUM),
    **{
        (OF_COMPONENTS, f"{what}UtilizationNormalized"): Published((COMPONENT,), LEVEL)
        for what in ("CPU", "GPU", "GPUMemory", "Memory")
    },
    **{
        (OF_ENDPOINTS, name): Published((VARIANT,), LEVEL)
        for name in (
            "CPUUtilization", "MemoryUtilization", "GPUUtilization", "GPUMemoryUtilization", "DiskUtilization",
            "CPUReservation", "MemoryReservation", "GPUReservation",
        )
    },
}  # fmt: skip


def check(namespace: str, name: str, dimensions: Mapping[str, str]) -> None:
    """Raises ValueError for a metric that SageMaker does not publish under these dimensions."""
    found = PUBLISHED.get((namespace, name))
    if found is None or frozenset(dimensions) not in found.dimensions:
        raise ValueError(f"SageMaker has no metric {namespace} {name} of {', '.join(sorted(dimensions))}")
