"""Operations on inference components, with the rules that AWS's model does not state."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from standin.errors import invalid
from standin.faults import ComponentFaults
from standin.hosting.component import AdapterComponent, BaseComponent, Component
from standin.hosting.endpoints import Endpoints, HostingTiming
from standin.hosting.listing import Request, page
from standin.hosting.models import Models
from standin.objects import Objects

CHANGING = frozenset({"Creating", "Updating", "Deleting"})


class Components:
    """Inference components by name. With `is_lazy`, adapters are looked at only when they are first asked."""

    def __init__(self, arn: str, folder: Path, timing: HostingTiming, models: Models, objects: Objects) -> None:
        self._arn = arn
        self._folder = folder
        self._timing = timing
        self._models = models
        self._objects = objects
        self._number = 0
        self.by_name: dict[str, Component] = {}
        self.is_lazy = False
        self.faults = ComponentFaults()
        self.endpoints: Endpoints

    def advance(self, now: float) -> None:
        """Bases first: adapters wait for them."""
        for component in sorted(self.by_name.values(), key=lambda one: isinstance(one, AdapterComponent)):
            if component.status == "Deleting" and now >= component.settles_at:
                self._remove(component)
            elif isinstance(component, AdapterComponent) and component.status == "Creating" and self.faults.stick:
                continue
            elif isinstance(component, AdapterComponent) and component.status == "Creating" and self.faults.reason:
                component.fail(self.faults.reason, now)
            elif isinstance(component, BaseComponent | AdapterComponent):
                component.advance(now, self._objects)

    def on(self, endpoint: str) -> list[Component]:
        return [one for one in self.by_name.values() if one.endpoint == endpoint]

    def is_changing(self, endpoint: str) -> bool:
        return any(one.status in CHANGING for one in self.on(endpoint))

    def create(self, request: Request, now: float) -> Request:
        name, specification = request["InferenceComponentName"], request.get("Specification")
        arn = f"{self._arn}:inference-component/{name.lower()}"
        if name in self.by_name:
            raise invalid(f'Cannot create already existing inference component "{arn}".')
        if specification is None:
            raise invalid("Specification is required.")
        endpoint = self.endpoints.find(request["EndpointName"])
        if endpoint.own_status not in {"InService", "Updating"}:
            raise invalid(f'Endpoint "{endpoint.arn}" is not in service.')
        common: dict[str, Any] = {
            "name": name, "arn": arn, "endpoint": endpoint.name, "variant": endpoint.config.variant["VariantName"],
            "specification": specification, "tags": list(request.get("Tags", ())), "created_at": now,
            "modified_at": now,
        }  # fmt: skip
        if "BaseInferenceComponentName" in specification:
            base = self._base_of(request, specification)
            if self.faults.refused is not None:
                raise self.faults.refused
            adapter = AdapterComponent(**common, settles_at=now + self._timing.adapter, base=base, is_lazy=self.is_lazy)
            self.by_name[name] = adapter
        else:
            self._number += 1
            self.by_name[name] = BaseComponent(
                **common,
                settles_at=now + self._timing.base,
                model=self._model_of(request, specification),
                copies=_copies(request.get("RuntimeConfig")),
                folder=self._folder / f"{name}-{self._number}",
            )
        return {"InferenceComponentArn": arn}

    def describe(self, request: Request, now: float) -> Request:
        component = self.find(request["InferenceComponentName"])
        shown = component.base if isinstance(component, AdapterComponent) else component
        specification = dict(component.specification)
        # An adapter echoes the compute of its base.
        if "ComputeResourceRequirements" in shown.specification:
            specification["ComputeResourceRequirements"] = shown.specification["ComputeResourceRequirements"]
        told: Request = {
            "InferenceComponentName": component.name,
            "InferenceComponentArn": component.arn,
            "EndpointName": component.endpoint,
            "EndpointArn": self.endpoints.find(component.endpoint).arn,
            "VariantName": component.variant,
            "Specification": specification,
            "InferenceComponentStatus": component.status,
            "CreationTime": component.created_at,
            "LastModifiedTime": component.modified_at,
        }
        if isinstance(component, BaseComponent):
            current = component.copies if component.is_ready else 0
            told["RuntimeConfig"] = {"DesiredCopyCount": component.copies, "CurrentCopyCount": current}
        return told | ({"FailureReason": component.failure_reason} if component.failure_reason else {})

    def update(self, request: Request, now: float) -> Request:
        component = self._stable(request["InferenceComponentName"])
        if "Specification" not in request and "RuntimeConfig" not in request:
            raise invalid("Specification or RuntimeConfig is required.")
        if isinstance(component, AdapterComponent):
            if "RuntimeConfig" in request:
                raise invalid("RuntimeConfig cannot be specified for an adapter inference component.")
            self._base_of(request, request["Specification"])
            if component.base.engine is not None:
                component.base.engine.unload(component.name)
        else:
            # The container reads its environment when it starts.
            if isinstance(component, BaseComponent):
                if "Specification" in request:
                    component.model = self._model_of(request, request["Specification"])
                    component.close()
                component.copies = _copies(request.get("RuntimeConfig"), component.copies)
        component.specification = request.get("Specification", component.specification)
        component.status = "Updating"
        timing = self._timing
        seconds = timing.adapter if isinstance(component, AdapterComponent) else timing.base
        component.settles_at = now + seconds
        return {"InferenceComponentArn": component.arn}

    def update_copies(self, request: Request, now: float) -> Request:
        component = self._stable(request["InferenceComponentName"])
        if not isinstance(component, BaseComponent):
            raise invalid("RuntimeConfig cannot be specified for an adapter inference component.")
        component.copies = request["DesiredRuntimeConfig"]["CopyCount"]
        component.status, component.settles_at = "Updating", now + self._timing.base
        return {"InferenceComponentArn": component.arn}

    def delete(self, request: Request, now: float) -> Request:
        component = self.find(request["InferenceComponentName"])
        if component.status in CHANGING:
            at = {"Creating": "CREATE", "Updating": "UPDATE", "Deleting": "DELETE"}[component.status]
            raise invalid(f'Inference component "{component.arn}" is in status {at}_IN_PROGRESS and cannot be deleted.')
        on_it = [one for one in self.by_name.values() if isinstance(one, AdapterComponent) and one.base is component]
        if on_it:
            raise invalid(
                f'Inference component "{component.arn}" is a base inference component for one or more associated '
                "inference components and cannot be deleted."
            )
        component.status, component.settles_at = "Deleting", now + self._timing.deleting
        return {}

    def list(self, request: Request, now: float) -> Request:
        found = [
            one
            for one in self.by_name.values()
            if request.get("EndpointNameEquals", one.endpoint) == one.endpoint
            and request.get("VariantNameEquals", one.variant) == one.variant
        ]
        return page(found, request, "InferenceComponents", self._summary)

    def find(self, name: str) -> Component:
        """Raises AWS's error if there is none."""
        if name not in self.by_name:
            raise invalid(f'Could not find inference component "{self._arn}:inference-component/{name.lower()}".')
        return self.by_name[name]

    def vanish(self, name: str) -> None:
        """Lose a component that nobody has deleted."""
        self._remove(self.find(name))

    def close(self) -> None:
        """Kill every container."""
        for component in self.by_name.values():
            if isinstance(component, BaseComponent):
                component.close()

    def _stable(self, name: str) -> Component:
        component = self.find(name)
        if component.status in CHANGING:
            raise invalid(f'Inference component "{component.arn}" is in status {component.status}.')
        return component

    def _base_of(self, request: Request, specification: Mapping[str, Any]) -> BaseComponent:
        for member, where in (("VariantName", request), ("RuntimeConfig", request)):
            if member in where:
                raise invalid(f"{member} cannot be specified for an adapter inference component.")
        for member in ("ComputeResourceRequirements", "ModelName"):
            if member in specification:
                raise invalid(f"{member} cannot be specified for an adapter inference component.")
        if "ArtifactUrl" not in specification.get("Container", {}):
            raise invalid("Container.ArtifactUrl is required for an adapter inference component.")
        base = self.find(specification["BaseInferenceComponentName"])
        if not isinstance(base, BaseComponent):
            raise invalid(f'Inference component "{base.arn}" is not a base inference component.')
        if base.endpoint != request.get("EndpointName", base.endpoint):
            raise invalid(f'Inference component "{base.arn}" is on another endpoint.')
        if base.status != "InService":
            raise invalid(f'Base inference component "{base.arn}" is not InService.')
        return base

    def _model_of(self, request: Request, specification: Mapping[str, Any]) -> Any:
        if "EndpointName" in request and "VariantName" not in request:
            raise invalid("VariantName is required for a base inference component.")
        if "ModelName" not in specification or "Container" in specification:
            raise invalid("The stand-in's base components name a model with ModelName.")
        if "ComputeResourceRequirements" not in specification:
            raise invalid("ComputeResourceRequirements is required for a base inference component.")
        return self._models.find(specification["ModelName"])

    def _remove(self, component: Component) -> None:
        if isinstance(component, AdapterComponent) and component.base.engine is not None:
            component.base.engine.unload(component.name)
        if isinstance(component, BaseComponent):
            component.close()
        del self.by_name[component.name]

    def _summary(self, component: Component) -> Request:
        return {
            "InferenceComponentName": component.name,
            "InferenceComponentArn": component.arn,
            "EndpointName": component.endpoint,
            "EndpointArn": f"{self._arn}:endpoint/{component.endpoint.lower()}",
            "VariantName": component.variant,
            "InferenceComponentStatus": component.status,
            "CreationTime": component.created_at,
            "LastModifiedTime": component.modified_at,
        }


def _copies(runtime: Mapping[str, Any] | None, otherwise: int = 1) -> int:
    return int(runtime["CopyCount"]) if runtime else otherwise
