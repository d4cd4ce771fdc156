"""CloudWatch's alarms on the endpoint: those that tell people, and the one that starts a copy where there is none."""

from collections.abc import Iterator, Sequence
from typing import Any

from botocore.exceptions import ClientError

from jobs.backends.sagemaker.errors import code_of
from serving.backends.alarms import AlarmState, CloudAlarm
from serving.backends.sagemaker.errors import translated
from serving.backends.sagemaker.plan import VARIANT, Plan, Request

NAMESPACE = "AWS/SageMaker"
OF_COMPONENTS = "/aws/sagemaker/InferenceComponents"
MICROSECONDS = 1_000_000
"""In a second: the unit of SageMaker's latencies."""
TELLING = ("errors", "gpu-memory", "latency", "no-capacity")
"""Alarms that tell people, as their names end."""
WAKE = "wake"
STATES = {"OK": AlarmState.OK, "ALARM": AlarmState.ALARM, "INSUFFICIENT_DATA": AlarmState.NO_DATA}


class EndpointAlarms:
    """The alarms of a plan's endpoint. Every method may be called again after it was interrupted."""

    def __init__(self, client: Any, plan: Plan) -> None:
        self._client = client
        self._plan = plan

    def apply(self, wake: str) -> None:
        """Put the alarms in place; `wake` is the ARN of the policy that starts a copy, empty if there is none."""
        wanted = [self.errors(), self.no_capacity(), *self._measuring(), *([self.wake(wake)] if wake else [])]
        with translated("setting up alarms"):
            for alarm in wanted:
                self._client.put_metric_alarm(**alarm)
            self._delete({alarm["AlarmName"] for alarm in wanted})

    def remove(self) -> None:
        """Delete them all."""
        with translated("deleting alarms"):
            self._delete(keep=set())

    def describe(self) -> Iterator[str]:
        """What is in AWS, for the operator, a line at a time. Raises EndpointError."""
        with translated("describing alarms"):
            found = self._found()
        for alarm in found:
            told = "" if alarm.get("AlarmActions") else ", tells nobody"
            yield f"Alarm {alarm['AlarmName']}: {alarm['StateValue']}{told}."
        if not found:
            yield "There are no alarms."

    def states(self) -> list[CloudAlarm]:
        """What those that tell people say, by name. Raises EndpointError."""
        with translated("describing alarms"):
            found = self._found(TELLING)
        return [_state(alarm) for alarm in sorted(found, key=lambda one: str(one["AlarmName"]))]

    def errors(self) -> Request:
        """For PutMetricAlarm."""
        return {
            "AlarmName": self._name("errors"),
            "AlarmDescription": "The shared endpoint answers with errors.",
            "Namespace": NAMESPACE,
            "MetricName": "Invocation5XXErrors",
            "Dimensions": self._of_variant,
            "Statistic": "Sum",
            "Period": 60,
            "EvaluationPeriods": 5,
            "DatapointsToAlarm": 3,
            "Threshold": 5.0,
            "ComparisonOperator": "GreaterThanOrEqualToThreshold",
            "TreatMissingData": "notBreaching",
            **self._told,
        }

    def no_capacity(self) -> Request:
        """For PutMetricAlarm. Where there may be no copies, requests fail while one starts; only then is it late."""
        minutes = max(1, self._plan.startup_seconds // 60) if self._plan.wakes else 1
        return {
            **self._no_copy,
            "AlarmName": self._name("no-capacity"),
            "AlarmDescription": "Requests find no copy of the base model.",
            "Period": 60,
            "EvaluationPeriods": minutes,
            "TreatMissingData": "notBreaching",
            **self._told,
        }

    def latency(self) -> Request:
        """For PutMetricAlarm."""
        return {
            "AlarmName": self._name("latency"),
            "AlarmDescription": "The slowest 5% of answers take too long.",
            "Namespace": NAMESPACE,
            "MetricName": "ModelLatency",
            "Dimensions": self._of_variant,
            "ExtendedStatistic": "p95",
            "Period": 300,
            "EvaluationPeriods": 3,
            "DatapointsToAlarm": 2,
            "Threshold": self._plan.alarm_p95_seconds * MICROSECONDS,
            "ComparisonOperator": "GreaterThanThreshold",
            "TreatMissingData": "notBreaching",
            **self._told,
        }

    def gpu_memory(self) -> Request:
        """For PutMetricAlarm."""
        return {
            "AlarmName": self._name("gpu-memory"),
            "AlarmDescription": "The memory of the GPUs is nearly full.",
            "Namespace": OF_COMPONENTS,
            "MetricName": "GPUMemoryUtilizationNormalized",
            "Dimensions": self._of_base,
            "Statistic": "Maximum",
            "Period": 300,
            "EvaluationPeriods": 3,
            "DatapointsToAlarm": 3,
            "Threshold": self._plan.alarm_gpu_memory_percent,
            "ComparisonOperator": "GreaterThanThreshold",
            "TreatMissingData": "notBreaching",
            **self._told,
        }

    def wake(self, policy: str) -> Request:
        """For PutMetricAlarm."""
        return {
            **self._no_copy,
            "AlarmName": self._name(WAKE),
            "AlarmDescription": "A request found no copy of the base model, and starts one.",
            "Period": 30,
            "EvaluationPeriods": 1,
            "DatapointsToAlarm": 1,
            "TreatMissingData": "missing",
            "AlarmActions": [policy],
            "Tags": self._plan.tag_list,
        }

    @property
    def _no_copy(self) -> Request:
        return {
            "Namespace": NAMESPACE,
            "MetricName": "NoCapacityInvocationFailures",
            "Dimensions": self._of_base,
            "Statistic": "Maximum",
            "Threshold": 1.0,
            "ComparisonOperator": "GreaterThanOrEqualToThreshold",
        }

    def _measuring(self) -> Iterator[Request]:
        """The alarms that the plan has a limit for."""
        if self._plan.alarm_p95_seconds:
            yield self.latency()
        if self._plan.alarm_gpu_memory_percent:
            yield self.gpu_memory()

    @property
    def _of_variant(self) -> list[Request]:
        return [
            {"Name": "EndpointName", "Value": self._plan.endpoint},
            {"Name": "VariantName", "Value": VARIANT},
        ]

    @property
    def _of_base(self) -> list[Request]:
        return [{"Name": "InferenceComponentName", "Value": self._plan.base_component}]

    @property
    def _told(self) -> Request:
        topic = self._plan.alarm_topic
        return {"AlarmActions": [topic] if topic else [], "Tags": self._plan.tag_list}

    def _name(self, name: str) -> str:
        return f"{self._plan.endpoint}-{name}"

    def _found(self, wanted: Sequence[str] = (*TELLING, WAKE)) -> list[Request]:
        names = [self._name(name) for name in wanted]
        found: list[Request] = self._client.describe_alarms(AlarmNames=names)["MetricAlarms"]
        return found

    def _delete(self, keep: set[str]) -> None:
        names = [alarm["AlarmName"] for alarm in self._found() if alarm["AlarmName"] not in keep]
        if not names:
            return
        try:
            self._client.delete_alarms(AlarmNames=names)
        except ClientError as error:
            # Somebody else was faster.
            if code_of(error) != "ResourceNotFound":
                raise


def _state(alarm: Request) -> CloudAlarm:
    return CloudAlarm(
        name=alarm["AlarmName"],
        text=alarm.get("AlarmDescription", ""),
        state=STATES[alarm["StateValue"]],
        since=alarm.get("StateTransitionedTimestamp") or alarm["StateUpdatedTimestamp"],
    )
