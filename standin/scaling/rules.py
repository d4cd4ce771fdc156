"""Rules of Application Auto Scaling that its service model does not state."""

import re
from collections.abc import Mapping
from typing import Any

from standin.errors import invalid
from standin.scaling.target import Policy, Request, Target

DIMENSION = "sagemaker:inference-component:DesiredCopyCount"
RESOURCE = re.compile(r"inference-component/([A-Za-z0-9-]{1,63})")
WHOM = ("ServiceNamespace", "ResourceId", "ScalableDimension")
POLICY_KINDS = ("TargetTrackingScaling", "StepScaling")


def component(request: Request) -> str:
    """The component that a request is about."""
    found = RESOURCE.fullmatch(request["ResourceId"])
    if request["ServiceNamespace"] != "sagemaker" or request["ScalableDimension"] != DIMENSION or found is None:
        raise invalid(
            "Unsupported service namespace, resource type or scalable dimension. The stand-in only scales inference "
            "components."
        )
    return found[1]


def named(request: Request) -> str:
    """The target as AWS's errors name it."""
    words = ("service namespace", "resource ID", "scalable dimension")
    return ", ".join(f"{word}: {request[member]}" for word, member in zip(words, WHOM, strict=True))


def check_range(least: int, most: int) -> None:
    """Raises AWS's error for a range of copies that cannot be."""
    if least < 0 or most < 0:
        raise invalid("Minimum and maximum capacity must not be negative.")
    if least > most:
        raise invalid("Maximum capacity cannot be less than minimum capacity")


def check_policy(request: Request, target: Target, known: Policy | None) -> None:
    """Raises AWS's error for a policy that cannot be; `known` is the one that it replaces."""
    kind = request.get("PolicyType", "StepScaling")
    request["PolicyType"] = kind
    if kind not in POLICY_KINDS:
        raise invalid("The stand-in has target tracking and step scaling.")
    if known is not None and known.kind != kind:
        raise invalid("The type of a scaling policy cannot be changed.")
    given = [name for name in POLICY_KINDS if f"{name}PolicyConfiguration" in request]
    if given != [kind]:
        raise invalid(f"A policy of type {kind} needs {kind}PolicyConfiguration, and no other.")
    settings = request[f"{kind}PolicyConfiguration"]
    if kind == "StepScaling":
        _check_steps(settings)
        return
    metrics = [settings.get(f"{name}MetricSpecification") for name in ("Predefined", "Customized")]
    if (metrics[0] is None) == (metrics[1] is None):
        raise invalid("Specify exactly one of PredefinedMetricSpecification and CustomizedMetricSpecification.")
    if settings["TargetValue"] <= 0:
        raise invalid("TargetValue must be positive.")
    for name in ("ScaleInCooldown", "ScaleOutCooldown"):
        if settings.get(name, 0) < 0:
            raise invalid(f"{name} must not be negative.")
    for other in target.policies.values():
        same = other is not known and other.kind == kind
        if (
            same
            and [other.settings.get(f"{name}MetricSpecification") for name in ("Predefined", "Customized")] == metrics
        ):
            raise invalid("Only one TargetTrackingScaling policy for a given metric specification is allowed.")


def _check_steps(settings: Mapping[str, Any]) -> None:
    if "AdjustmentType" not in settings or not settings.get("StepAdjustments"):
        raise invalid("AdjustmentType and StepAdjustments are required for a new step scaling policy.")
    if settings.get("Cooldown", 0) < 0:
        raise invalid("Cooldown must not be negative.")
