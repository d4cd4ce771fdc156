"""Application Auto Scaling for base components: its operations, and what it does by the clock.

Ranges, schedules and step policies scale as in AWS. Target tracking is simpler than AWS's: it never adds copies, and
drops to the least number once nobody has asked for `IDLE_SECONDS`.
"""

import uuid
from collections.abc import Iterable

from standin.cloudwatch.metrics import Metrics
from standin.errors import AwsError, invalid
from standin.hosting.component import BaseComponent
from standin.hosting.components import Components
from standin.scaling.alarms import Alarms
from standin.scaling.rules import DIMENSION, check_policy, check_range, component, named
from standin.scaling.schedule import parse
from standin.scaling.target import Policy, Request, ScheduledAction, Target, stepped

IDLE_SECONDS = 900.0


class Autoscaling:
    """Scalable targets by the name of their component."""

    def __init__(self, *, region: str, account: str, components: Components, metrics: Metrics) -> None:
        self._place = f"{region}:{account}"
        self._components = components
        self.alarms = Alarms(f"arn:aws:cloudwatch:{self._place}", metrics, self.follow)
        self.targets: dict[str, Target] = {}
        self.operations = {
            "RegisterScalableTarget": self.register,
            "DescribeScalableTargets": self.describe_targets,
            "DeregisterScalableTarget": self.deregister,
            "PutScalingPolicy": self.put_policy,
            "DescribeScalingPolicies": self.describe_policies,
            "DeleteScalingPolicy": self.delete_policy,
            "PutScheduledAction": self.put_action,
            "DescribeScheduledActions": self.describe_actions,
            "DeleteScheduledAction": self.delete_action,
        }

    def advance(self, now: float) -> None:
        """Do what is due, and change the copies of the components that let themselves be changed."""
        for target in self.targets.values():
            self._run_schedule(target, now)
            self._drop_idle(target, now)
        self.alarms.advance(now)
        for target in self.targets.values():
            self._change_copies(target, now)

    def follow(self, action: str, beyond: float, at: float) -> None:
        """Let a step policy answer an alarm, if `action` is its ARN."""
        for target in self.targets.values():
            for policy in target.policies.values():
                if policy.arn != action or policy.kind != "StepScaling" or at < policy.cooled_at:
                    continue
                now = target.wanted if target.wanted is not None else self._copies(target)
                copies = target.limited(stepped(policy.settings, now, beyond))
                suspended = "DynamicScalingOutSuspended" if copies > now else "DynamicScalingInSuspended"
                if copies != now and not target.suspended.get(suspended):
                    target.wanted = copies
                    policy.cooled_at = at + policy.settings.get("Cooldown", 300)

    def register(self, request: Request, now: float) -> Request:
        name = component(request)
        self._components.find(name)
        target = self.targets.get(name)
        if target is None:
            if "MinCapacity" not in request or "MaxCapacity" not in request:
                raise invalid("MinCapacity and MaxCapacity are required to register a scalable target.")
            arn = f"arn:aws:application-autoscaling:{self._place}:scalable-target/{uuid.uuid4().hex}"
            target = Target(
                arn=arn, component=name, least=0, most=0, created_at=now, checked_minute=int(now // 60), scaled_at=now
            )
        least, most = request.get("MinCapacity", target.least), request.get("MaxCapacity", target.most)
        check_range(least, most)
        target.least, target.most = least, most
        target.suspended = {**target.suspended, **request.get("SuspendedState", {})}
        self.targets[name] = target
        self._keep_to_range(target)
        self._change_copies(target, now)
        return {"ScalableTargetARN": target.arn}

    def describe_targets(self, request: Request, now: float) -> Request:
        wanted = request.get("ResourceIds")
        found = [
            {
                **_whom(target),
                "MinCapacity": target.least,
                "MaxCapacity": target.most,
                "RoleARN": "arn:aws:iam::123456789012:role/aws-service-role/sagemaker.application-autoscaling",
                "CreationTime": target.created_at,
                "SuspendedState": {
                    name: target.suspended.get(name, False)
                    for name in (
                        "DynamicScalingInSuspended",
                        "DynamicScalingOutSuspended",
                        "ScheduledScalingSuspended",
                    )
                },
                "ScalableTargetARN": target.arn,
            }
            for target in self.targets.values()
            if wanted is None or _whom(target)["ResourceId"] in wanted
        ]
        return _page(found, request, "ScalableTargets")

    def deregister(self, request: Request, now: float) -> Request:
        target = self._target(request)
        for policy in target.policies.values():
            self._forget_alarms(policy, now)
        # Its policies and scheduled actions go with it.
        del self.targets[target.component]
        return {}

    def put_policy(self, request: Request, now: float) -> Request:
        target, name = self._target(request), request["PolicyName"]
        known = target.policies.get(name)
        merged = {**(known.request if known else {}), **request}
        check_policy(merged, target, known)
        if known is None:
            arn = self._arn("scalingPolicy", target, f"policyName/{name}")
            known = target.policies[name] = Policy(arn=arn, request=merged, created_at=now)
            self._make_alarms(known, target, now)
        known.request = merged
        return {"PolicyARN": known.arn, "Alarms": self._alarms_of(known)}

    def describe_policies(self, request: Request, now: float) -> Request:
        found = [
            {**policy.request, "PolicyARN": policy.arn, "CreationTime": policy.created_at, "Alarms": alarms}
            for target in self._about(request)
            for policy in target.policies.values()
            if policy.request["PolicyName"] in request.get("PolicyNames", [policy.request["PolicyName"]])
            for alarms in [self._alarms_of(policy)]
        ]
        return _page(found, request, "ScalingPolicies")

    def delete_policy(self, request: Request, now: float) -> Request:
        target, name = self._target(request), request["PolicyName"]
        if name not in target.policies:
            raise _missing(f"No scaling policy found for {named(request)}, policy name: {name}")
        self._forget_alarms(target.policies.pop(name), now)
        return {}

    def put_action(self, request: Request, now: float) -> Request:
        target, name = self._target(request), request["ScheduledActionName"]
        known = target.actions.get(name)
        kept = {key: value for key, value in (known.request if known else {}).items() if not key.endswith("Time")}
        merged = {**kept, **request}
        if "Schedule" not in merged or not merged.get("ScalableTargetAction"):
            raise invalid("Schedule and ScalableTargetAction are required for a new scheduled action.")
        change = merged["ScalableTargetAction"]
        check_range(change.get("MinCapacity", 0), change.get("MaxCapacity", change.get("MinCapacity", 0)))
        target.actions[name] = ScheduledAction(
            arn=known.arn if known else self._arn("scheduledAction", target, f"scheduledActionName/{name}"),
            request=merged,
            created_at=known.created_at if known else now,
            due=parse(merged["Schedule"], merged.get("Timezone", "UTC")),
        )
        return {}

    def describe_actions(self, request: Request, now: float) -> Request:
        found = [
            {**action.request, "ScheduledActionARN": action.arn, "CreationTime": action.created_at}
            for target in self._about(request)
            for name, action in target.actions.items()
            if name in request.get("ScheduledActionNames", [name])
        ]
        return _page(found, request, "ScheduledActions")

    def delete_action(self, request: Request, now: float) -> Request:
        target, name = self._target(request), request["ScheduledActionName"]
        if name not in target.actions:
            raise _missing(f"No scheduled action found for {named(request)}, scheduled action name: {name}")
        del target.actions[name]
        return {}

    def _run_schedule(self, target: Target, now: float) -> None:
        last = int(now // 60)
        minutes = range(target.checked_minute + 1, last + 1) if target.actions else ()
        for minute in minutes:
            for action in target.actions.values():
                if not action.is_due(minute * 60.0) or target.suspended.get("ScheduledScalingSuspended"):
                    continue
                change = action.request["ScalableTargetAction"]
                target.least = change.get("MinCapacity", target.least)
                target.most = max(change.get("MaxCapacity", target.most), target.least)
                self._keep_to_range(target)
        target.checked_minute = max(target.checked_minute, last)

    def _drop_idle(self, target: Target, now: float) -> None:
        base = self._components.by_name.get(target.component)
        if not isinstance(base, BaseComponent) or base.status != "InService" or base.copies <= target.least:
            return
        for policy in target.policies.values():
            since = max(base.asked_at, policy.created_at, target.scaled_at)
            tracks = policy.kind == "TargetTrackingScaling" and not policy.settings.get("DisableScaleIn")
            if tracks and now - since >= IDLE_SECONDS and not target.suspended.get("DynamicScalingInSuspended"):
                target.wanted = target.least

    def _keep_to_range(self, target: Target) -> None:
        copies = target.wanted if target.wanted is not None else self._copies(target)
        if target.limited(copies) != copies:
            target.wanted = target.limited(copies)

    def _change_copies(self, target: Target, now: float) -> None:
        if target.wanted is None:
            return
        if target.wanted != self._copies(target):
            wanted = {"CopyCount": target.wanted}
            request = {"InferenceComponentName": target.component, "DesiredRuntimeConfig": wanted}
            try:
                self._components.update_copies(request, now)
            except AwsError:
                # It is being changed or is gone; the former passes.
                return
            target.scaled_at = now
        target.wanted = None

    def _copies(self, target: Target) -> int:
        base = self._components.by_name.get(target.component)
        return base.copies if isinstance(base, BaseComponent) else 0

    def _target(self, request: Request) -> Target:
        name = component(request)
        if name not in self.targets:
            raise _missing(f"No scalable target registered for {named(request)}")
        return self.targets[name]

    def _about(self, request: Request) -> Iterable[Target]:
        if "ResourceId" not in request:
            return self.targets.values()
        return [target for target in self.targets.values() if _whom(target)["ResourceId"] == request["ResourceId"]]

    def _make_alarms(self, policy: Policy, target: Target, now: float) -> None:
        """AWS's own alarms of target tracking."""
        if policy.kind != "TargetTrackingScaling":
            return
        for kind, comparison in (("AlarmHigh", "GreaterThanThreshold"), ("AlarmLow", "LessThanThreshold")):
            name = f"TargetTracking-{_whom(target)['ResourceId']}-{kind}-{uuid.uuid4()}"
            alarm = {
                "AlarmName": name,
                "Namespace": "AWS/SageMaker",
                "MetricName": "ConcurrentRequestsPerCopy",
                "Dimensions": [{"Name": "InferenceComponentName", "Value": target.component}],
                "Statistic": "Maximum",
                "Period": 60,
                "EvaluationPeriods": 3 if kind == "AlarmHigh" else 15,
                "Threshold": policy.settings["TargetValue"],
                "ComparisonOperator": comparison,
                "AlarmActions": [policy.arn],
            }
            self.alarms.put(alarm, now)
            policy.alarms.append(name)

    def _forget_alarms(self, policy: Policy, now: float) -> None:
        self.alarms.delete({"AlarmNames": policy.alarms}, now)

    def _alarms_of(self, policy: Policy) -> list[dict[str, str]]:
        """Of target tracking its own, of a step policy those that call it."""
        called = [name for name, alarm in self.alarms.by_name.items() if policy.arn in alarm.actions]
        return [{"AlarmName": name, "AlarmARN": self.alarms.arn_of(name)} for name in policy.alarms or called]

    def _arn(self, kind: str, target: Target, name: str) -> str:
        resource = f"resource/sagemaker/{_whom(target)['ResourceId']}"
        return f"arn:aws:autoscaling:{self._place}:{kind}:{uuid.uuid4()}:{resource}:{name}"


def _whom(target: Target) -> dict[str, str]:
    return {
        "ServiceNamespace": "sagemaker",
        "ResourceId": f"inference-component/{target.component}",
        "ScalableDimension": DIMENSION,
    }


def _page(found: list[Request], request: Request, answer: str) -> Request:
    token, size = request.get("NextToken", "0"), request.get("MaxResults", 50)
    if not token.isdecimal():
        raise AwsError("InvalidNextTokenException", "The next token supplied was invalid.")
    if not 1 <= size <= 50:
        raise invalid("MaxResults must be between 1 and 50.")
    start = int(token)
    response: Request = {answer: found[start : start + size]}
    return response | ({"NextToken": str(start + size)} if start + size < len(found) else {})


def _missing(message: str) -> AwsError:
    return AwsError("ObjectNotFoundException", message)
