"""Makes, changes and deletes an endpoint with its base component. Each may be called again after it was interrupted."""

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from botocore.exceptions import ClientError

from serving.backends.base import Waiting
from serving.backends.errors import EndpointError
from serving.backends.sagemaker.alarms import EndpointAlarms
from serving.backends.sagemaker.errors import CHANGING, is_missing, says, translated
from serving.backends.sagemaker.plan import Plan, Request
from serving.backends.sagemaker.reading import components, described
from serving.backends.sagemaker.scaling import CopyScaling

HASH = 12

Step = Iterator[str]
"""Says what is being done, a line at a time, and what is waited for."""


class SageMakerProvision:
    """One endpoint as a plan has it. Models and configurations never change in AWS: a name stands for its content."""

    def __init__(self, client: Any, plan: Plan, *, scaling: CopyScaling, alarms: EndpointAlarms) -> None:
        self._client = client
        self._plan = plan
        self._scaling = scaling
        self._alarms = alarms

    def create(self) -> Step:
        """Create what is missing and wait until all is in service. Raises EndpointError."""
        plan = self._plan
        yield "Creating the model and the endpoint’s configuration"
        model, config = self._model(), self._config()
        if self._endpoint() is None:
            yield f"Creating the endpoint {plan.endpoint} on {plan.instances} {plan.instance_type}"
            self._create(
                self._client.create_endpoint,
                {"EndpointName": plan.endpoint, "EndpointConfigName": config, "Tags": plan.tag_list},
            )
        yield from self._endpoint_settled()
        if self._base() is None:
            yield f"Creating the base component {plan.base_component}"
            self._create(self._client.create_inference_component, plan.base(model))
        yield from self._base_settled()
        yield from self._scaled()

    def update(self) -> Step:
        """Bring the endpoint and the base to the plan; requests are answered meanwhile.

        The number of copies that autoscaling has chosen stays, unless the plan's range excludes it.
        """
        plan = self._plan
        endpoint, base = self._endpoint(), self._base()
        if endpoint is None or base is None:
            raise EndpointError("endpoint:missing", "There is no such endpoint. Create it first.", temporary=False)
        # An earlier change may be under way.
        yield from self._endpoint_settled()
        yield from self._base_settled()
        endpoint, base = self._endpoint() or endpoint, self._base() or base
        model, config = self._model(), self._config()
        if endpoint["EndpointConfigName"] != config:
            yield "Changing the endpoint’s configuration"
            with translated("changing the endpoint"):
                self._client.update_endpoint(EndpointName=plan.endpoint, EndpointConfigName=config)
            yield from self._endpoint_settled()
            yield from self._until(self._base_changing)
        changes = self._base_changes(self._base() or base, model)
        if changes:
            yield "Changing the base component"
            with translated("changing the base component"):
                self._client.update_inference_component(InferenceComponentName=plan.base_component, **changes)
            yield from self._base_settled()
        yield from self._scaled()
        # Autoscaling itself may have changed it, to keep to the range.
        yield from self._base_settled()
        self._delete_parts(keep={model, config})

    def delete(self) -> Step:
        """Delete all that costs: adapters first, for a base with adapters is not deleted."""
        plan = self._plan
        yield "Removing autoscaling and alarms"
        yield from self._until(lambda: self._unless_changing(self._scaling.remove))
        self._alarms.remove()
        names = [one["InferenceComponentName"] for one in components(self._client, plan.endpoint)]
        adapters = [name for name in names if name != plan.base_component]
        if adapters:
            yield f"Deleting {len(adapters)} adapter component{'s' if len(adapters) > 1 else ''}"
        yield from self._components_deleted(adapters)
        if self._base() is not None:
            yield "Deleting the base component"
            yield from self._components_deleted([plan.base_component])
        if self._endpoint() is not None:
            yield "Deleting the endpoint"
            yield from self._until(self._endpoint_deleted)
        self._delete_parts(keep=set())

    def _scaled(self) -> Step:
        """Autoscaling and alarms, as the plan has them."""
        yield "Setting up autoscaling and alarms"
        yield from self._until(lambda: self._unless_changing(lambda: self._alarms.apply(self._scaling.apply())))

    def _unless_changing(self, do: Callable[[], None]) -> str:
        """Empty once it is done."""
        try:
            do()
        except EndpointError as error:
            if error.code != CHANGING:
                raise
            return "Autoscaling is being changed"
        return ""

    def _base_changes(self, base: Mapping[str, Any], model: str) -> Request:
        """What of the base has to be changed, for UpdateInferenceComponent. What is not named stays."""
        plan, changes = self._plan, Request()
        copies = base.get("RuntimeConfig", {}).get("DesiredCopyCount", plan.copies)
        wanted = self._scaling.limited(copies) if plan.scales else plan.copies
        if base["Specification"].get("ModelName") != model:
            changes["Specification"] = plan.specification(model)
        if copies != wanted:
            changes["RuntimeConfig"] = {"CopyCount": wanted}
        return changes

    def _base_changing(self) -> str:
        """Empty unless the base is just being changed, as by autoscaling: then AWS refuses another change."""
        status = (self._base() or {}).get("InferenceComponentStatus", "")
        return f"The base component is {status}" if status in ("Creating", "Updating") else ""

    def _delete_parts(self, *, keep: set[str]) -> None:
        """Delete this endpoint's models and configurations, also those of an earlier plan."""
        ours = re.compile(re.escape(_named(self._plan.endpoint, {})[:-HASH]) + f"[0-9a-f]{{{HASH}}}")
        begin = self._plan.endpoint[:50]
        with translated("listing the endpoint’s parts"):
            pages = self._client.get_paginator("list_endpoint_configs").paginate(NameContains=begin)
            configs = [one["EndpointConfigName"] for page in pages for one in page["EndpointConfigs"]]
            pages = self._client.get_paginator("list_models").paginate(NameContains=begin)
            models = [one["ModelName"] for page in pages for one in page["Models"]]
        for name in configs:
            if ours.fullmatch(name) and name not in keep:
                self._delete(self._client.delete_endpoint_config, EndpointConfigName=name)
        for name in models:
            if ours.fullmatch(name) and name not in keep:
                self._delete(self._client.delete_model, ModelName=name)

    def _model(self) -> str:
        name = _named(self._plan.endpoint, self._plan.model(""))
        self._create(self._client.create_model, self._plan.model(name))
        return name

    def _config(self) -> str:
        name = _named(self._plan.endpoint, self._plan.config(""))
        self._create(self._client.create_endpoint_config, self._plan.config(name))
        return name

    def _create(self, make: Callable[..., Any], request: Request) -> None:
        with translated("creating the endpoint"):
            try:
                make(**request)
            except ClientError as error:
                if not says(error, "already existing"):
                    raise

    def _delete(self, delete: Callable[..., Any], **named: str) -> None:
        with translated("deleting the endpoint"):
            try:
                delete(**named)
            except ClientError as error:
                if not is_missing(error) and not says(error, "in_progress", "in-progress", "in status"):
                    raise

    def _endpoint(self) -> Mapping[str, Any] | None:
        return described(self._client.describe_endpoint, EndpointName=self._plan.endpoint)

    def _base(self) -> Mapping[str, Any] | None:
        return self._component(self._plan.base_component)

    def _component(self, name: str) -> Mapping[str, Any] | None:
        return described(self._client.describe_inference_component, InferenceComponentName=name)

    def _components_deleted(self, names: list[str]) -> Step:
        def are_gone() -> str:
            left = [name for name in names if self._component(name) is not None]
            for name in left:
                # One that is just being made is refused, and tried again.
                self._delete(self._client.delete_inference_component, InferenceComponentName=name)
            return f"{len(left)} to go" if left else ""

        yield from self._until(are_gone)

    def _endpoint_deleted(self) -> str:
        if self._endpoint() is None:
            return ""
        self._delete(self._client.delete_endpoint, EndpointName=self._plan.endpoint)
        return "Deleting"

    def _endpoint_settled(self) -> Step:
        def status() -> str:
            found = self._endpoint() or {}
            return _progress("endpoint", found.get("EndpointStatus", "missing"), found.get("FailureReason", ""))

        yield from self._until(status)

    def _base_settled(self) -> Step:
        def status() -> str:
            found = self._base() or {}
            at = found.get("InferenceComponentStatus", "missing")
            return _progress("base component", at, found.get("FailureReason", ""))

        yield from self._until(status)

    def _until(self, check: Callable[[], str]) -> Step:
        """Call `check` until it says nothing more."""
        while now := check():
            yield Waiting(now)


def _progress(what: str, status: str, reason: str) -> str:
    """Empty once it is in service. Raises EndpointError for what will not come."""
    if status == "InService":
        return ""
    if status in ("Failed", "missing", "OutOfService", "UpdateRollbackFailed"):
        text = f"The {what} is {status}. {reason}".strip()
        raise EndpointError("endpoint:failed", text, temporary=False)
    return f"The {what} is {status}"


def _named(endpoint: str, request: Request) -> str:
    """A name that stands for the content of a request, at most 63 characters."""
    content = json.dumps(request, sort_keys=True).encode()
    return f"{endpoint[:50]}-{hashlib.sha256(content).hexdigest()[:HASH]}"
