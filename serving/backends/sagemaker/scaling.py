"""How many copies the base component has: Application Auto Scaling follows the load and a schedule.

The target of scaling has a range. In it, one policy keeps the requests of each copy near the plan's number, and, where
there may be no copies, another starts the first one when its alarm says that a request found none. Each entry of the
schedule puts another range in the place of the present one, so ranges are left alone that the plan names.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from botocore.exceptions import ClientError

from jobs.backends.sagemaker.errors import code_of
from serving.backends.sagemaker.errors import translated
from serving.backends.sagemaker.plan import Plan, Request

DIMENSION = "sagemaker:inference-component:DesiredCopyCount"
METRIC = "SageMakerInferenceComponentConcurrentRequestsPerCopyHighResolution"
WAKE_COOLDOWN_SECONDS = 600
"""A copy of a large model takes minutes to start; requests that fail meanwhile must not start one each."""

MISSING = "ObjectNotFoundException"


class CopyScaling:
    """The scaling of a plan's base component. Every method may be called again after it was interrupted."""

    def __init__(self, client: Any, plan: Plan) -> None:
        self._client = client
        self._plan = plan

    def apply(self) -> str:
        """Put the plan's scaling in place, or take it away if the plan has none.

        Returns the ARN of the policy that starts the first copy, empty if there is none. Raises EndpointError.
        """
        plan = self._plan
        if not plan.scales:
            self.remove()
            return ""
        with translated("setting up autoscaling"):
            self._register()
            self._client.put_scaling_policy(**self._policy("follow-load", self.follow_load()))
            if plan.wakes:
                wake: str = self._client.put_scaling_policy(**self._policy("wake", self.wake()))["PolicyARN"]
            else:
                wake = ""
                self._gone(self._client.delete_scaling_policy, PolicyName=self._name("wake"))
            names = {self._name(one.name) for one in plan.scheduled}
            for one in plan.scheduled:
                self._client.put_scheduled_action(
                    **self._whom,
                    ScheduledActionName=self._name(one.name),
                    Schedule=f"cron({one.cron})",
                    Timezone=plan.schedule_time_zone,
                    ScalableTargetAction={"MinCapacity": one.least_copies, "MaxCapacity": one.most_copies},
                )
            for action in self._actions():
                name = action["ScheduledActionName"]
                # Others than ours are the operator's own.
                if name.startswith(self._name("")) and name not in names:
                    self._gone(self._client.delete_scheduled_action, ScheduledActionName=name)
        return wake

    def remove(self) -> None:
        """Delete policies, scheduled actions and the target; AWS deletes the alarms of target tracking itself."""
        with translated("removing autoscaling"):
            if self._target() is None:
                return
            for policy in self._policies():
                self._gone(self._client.delete_scaling_policy, PolicyName=policy["PolicyName"])
            for action in self._actions():
                self._gone(self._client.delete_scheduled_action, ScheduledActionName=action["ScheduledActionName"])
            self._gone(self._client.deregister_scalable_target)

    def limited(self, copies: int) -> int:
        """The nearest number of copies that the range in force allows. Raises EndpointError."""
        least, most = self._plan.ranges[0]
        with translated("describing autoscaling"):
            target = self._target()
        if target is not None and _range(target) in self._plan.ranges:
            least, most = _range(target)
        return min(max(copies, least), most)

    def describe(self) -> Iterator[str]:
        """What is in AWS, for the operator, a line at a time. Raises EndpointError."""
        with translated("describing autoscaling"):
            target = self._target()
            policies, actions = (list(self._policies()), list(self._actions())) if target else ([], [])
        if target is None:
            yield "Copies do not scale."
            return
        least, most = _range(target)
        yield f"Copies: {least} to {most}."
        for policy in policies:
            if "TargetTrackingScalingPolicyConfiguration" in policy:
                settings = policy["TargetTrackingScalingPolicyConfiguration"]
                yield f"Follows the load: {settings['TargetValue']:g} concurrent requests for each copy."
            elif policy["PolicyName"] == self._name("wake"):
                yield "A request that finds no copy starts one."
        for action in actions:
            change, zone = action.get("ScalableTargetAction", {}), action.get("Timezone", "UTC")
            copies = f"{change.get('MinCapacity', least)} to {change.get('MaxCapacity', most)}"
            yield f"Scheduled: {copies} copies at {action['Schedule']}, {zone} ({action['ScheduledActionName']})."
        suspended = [name for name, is_so in target.get("SuspendedState", {}).items() if is_so]
        if suspended:
            yield f"Suspended in AWS: {', '.join(sorted(suspended))}."

    def follow_load(self) -> Request:
        """For PutScalingPolicy."""
        plan = self._plan
        return {
            "PolicyType": "TargetTrackingScaling",
            "TargetTrackingScalingPolicyConfiguration": {
                "TargetValue": plan.concurrency_target,
                "PredefinedMetricSpecification": {"PredefinedMetricType": METRIC},
                "ScaleInCooldown": plan.scale_in_seconds,
                "ScaleOutCooldown": plan.scale_out_seconds,
            },
        }

    def wake(self) -> Request:
        """For PutScalingPolicy."""
        return {
            "PolicyType": "StepScaling",
            "StepScalingPolicyConfiguration": {
                "AdjustmentType": "ChangeInCapacity",
                "MetricAggregationType": "Maximum",
                "Cooldown": WAKE_COOLDOWN_SECONDS,
                "StepAdjustments": [{"MetricIntervalLowerBound": 0.0, "ScalingAdjustment": 1}],
            },
        }

    def _register(self) -> None:
        target, (least, most) = self._target(), self._plan.ranges[0]
        if target is not None and _range(target) in self._plan.ranges:
            return
        # AWS takes tags only when it makes the target.
        tags = {"Tags": self._plan.tags} if target is None and self._plan.tags else {}
        self._client.register_scalable_target(**self._whom, MinCapacity=least, MaxCapacity=most, **tags)

    def _policy(self, name: str, settings: Request) -> Request:
        return {**self._whom, "PolicyName": self._name(name), **settings}

    def _name(self, name: str) -> str:
        return f"{self._plan.endpoint}-{name}"

    @property
    def _whom(self) -> dict[str, str]:
        resource = f"inference-component/{self._plan.base_component}"
        return {"ServiceNamespace": "sagemaker", "ResourceId": resource, "ScalableDimension": DIMENSION}

    def _target(self) -> Mapping[str, Any] | None:
        whom = self._whom
        found: list[Mapping[str, Any]] = self._client.describe_scalable_targets(
            ServiceNamespace=whom["ServiceNamespace"],
            ResourceIds=[whom["ResourceId"]],
            ScalableDimension=whom["ScalableDimension"],
        )["ScalableTargets"]
        return found[0] if found else None

    def _policies(self) -> Iterator[Mapping[str, Any]]:
        for page in self._client.get_paginator("describe_scaling_policies").paginate(**self._whom):
            yield from page["ScalingPolicies"]

    def _actions(self) -> Iterator[Mapping[str, Any]]:
        for page in self._client.get_paginator("describe_scheduled_actions").paginate(**self._whom):
            yield from page["ScheduledActions"]

    def _gone(self, delete: Callable[..., Any], **named: str) -> None:
        try:
            delete(**self._whom, **named)
        except ClientError as error:
            if code_of(error) != MISSING:
                raise


def _range(target: Mapping[str, Any]) -> tuple[int, int]:
    return target["MinCapacity"], target["MaxCapacity"]
