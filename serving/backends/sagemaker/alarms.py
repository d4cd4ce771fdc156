"""CloudWatch's alarms on the endpoint: two that tell people, and the one that starts a copy where there is none."""

from collections.abc import Iterator
from typing import Any

from botocore.exceptions import ClientError

from jobs.backends.sagemaker.errors import code_of
from serving.backends.sagemaker.errors import translated
from serving.backends.sagemaker.plan import VARIANT, Plan, Request

NAMESPACE = "AWS/SageMaker"


class EndpointAlarms:
    """The alarms of a plan's endpoint. Every method may be called again after it was interrupted."""

    def __init__(self, client: Any, plan: Plan) -> None:
        self._client = client
        self._plan = plan

    def apply(self, wake: str) -> None:
        """Put the alarms in place; `wake` is the ARN of the policy that starts a copy, empty if there is none."""
        wanted = [self.errors(), self.no_capacity(), *([self.wake(wake)] if wake else [])]
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

    def errors(self) -> Request:
        """For PutMetricAlarm."""
        return {
            "AlarmName": self._name("errors"),
            "AlarmDescription": "The shared endpoint answers with errors.",
            "Namespace": NAMESPACE,
            "MetricName": "Invocation5XXErrors",
            "Dimensions": [
                {"Name": "EndpointName", "Value": self._plan.endpoint},
                {"Name": "VariantName", "Value": VARIANT},
            ],
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

    def wake(self, policy: str) -> Request:
        """For PutMetricAlarm."""
        return {
            **self._no_copy,
            "AlarmName": self._name("wake"),
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
            "Dimensions": [{"Name": "InferenceComponentName", "Value": self._plan.base_component}],
            "Statistic": "Maximum",
            "Threshold": 1.0,
            "ComparisonOperator": "GreaterThanOrEqualToThreshold",
        }

    @property
    def _told(self) -> Request:
        topic = self._plan.alarm_topic
        return {"AlarmActions": [topic] if topic else [], "Tags": self._plan.tag_list}

    def _name(self, name: str) -> str:
        return f"{self._plan.endpoint}-{name}"

    def _found(self) -> list[Request]:
        names = [self._name(name) for name in ("errors", "no-capacity", "wake")]
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
