"""Hosting and what scales it as one service: operations, clock and lock."""

import threading
from collections.abc import Callable
from pathlib import Path

from standin.clock import Clock
from standin.hosting.components import Components
from standin.hosting.endpoints import Endpoints, HostingTiming
from standin.hosting.listing import Request
from standin.hosting.models import Models
from standin.objects import Objects
from standin.recommendations import Recommendations
from standin.scaling.autoscaling import Autoscaling
from standin.scaling.metrics import Metrics

Operation = Callable[[Request, float], Request]


class Hosting:
    """`operations` are those of SageMaker's hosting, Application Auto Scaling and CloudWatch that are implemented here;
    containers run in `folder`."""

    def __init__(
        self, *, folder: Path, clock: Clock, timing: HostingTiming, objects: Objects, region: str, account: str
    ) -> None:
        arn = f"arn:aws:sagemaker:{region}:{account}"
        self.models = Models(arn)
        self.components = Components(arn, folder, timing, self.models, objects)
        self.endpoints = Endpoints(arn, timing, self.components.is_changing)
        self.components.endpoints = self.endpoints
        self.recommendations = Recommendations(
            region=region, account=account, objects=objects, seconds=timing.recommendation
        )
        self.metrics = Metrics()
        self.scaling = Autoscaling(region=region, account=account, components=self.components, metrics=self.metrics)
        self.alarms = self.scaling.alarms
        self.lock = threading.RLock()
        self.objects = objects
        self._clock = clock
        self.operations: dict[str, Operation] = {
            "CreateModel": self.models.create,
            "DescribeModel": self.models.describe,
            "DeleteModel": self.models.delete,
            "ListModels": self.models.list,
            "CreateEndpointConfig": self.endpoints.create_config,
            "DescribeEndpointConfig": self.endpoints.describe_config,
            "DeleteEndpointConfig": self.endpoints.delete_config,
            "ListEndpointConfigs": self.endpoints.list_configs,
            "CreateEndpoint": self.endpoints.create,
            "DescribeEndpoint": self.endpoints.describe,
            "UpdateEndpoint": self.endpoints.update,
            "DeleteEndpoint": self._delete_endpoint,
            "ListEndpoints": self.endpoints.list,
            "CreateInferenceComponent": self.components.create,
            "DescribeInferenceComponent": self.components.describe,
            "UpdateInferenceComponent": self.components.update,
            "UpdateInferenceComponentRuntimeConfig": self.components.update_copies,
            "DeleteInferenceComponent": self.components.delete,
            "ListInferenceComponents": self.components.list,
            **self.recommendations.operations,
            **self.scaling.operations,
            **self.alarms.operations,
        }

    def handle(self, operation: str, request: Request) -> Request:
        """Advance everything to the present, then answer an operation."""
        with self.lock:
            self.advance()
            return self.operations[operation](request, self._clock.now())

    def advance(self) -> None:
        """Advance everything to the present."""
        with self.lock:
            now = self._clock.now()
            self.endpoints.advance(now)
            self.scaling.advance(now)
            self.components.advance(now)
            self.recommendations.advance(now)

    @property
    def now(self) -> float:
        return self._clock.now()

    def count(self, metric: str, **dimensions: str) -> None:
        """Count one in a metric of CloudWatch, at the present."""
        with self.lock:
            self.metrics.add(metric, dimensions, self._clock.now())

    def tags(self, arn: str) -> list[dict[str, str]] | None:
        """The tags of an endpoint or an inference component, None for any other ARN."""
        with self.lock:
            tags = {one.arn: one.tags for one in self.endpoints.by_name.values()}
            tags |= {one.arn: one.tags for one in self.components.by_name.values()}
            return tags.get(arn)

    def close(self) -> None:
        """Kill every container."""
        with self.lock:
            self.components.close()

    def _delete_endpoint(self, request: Request, now: float) -> Request:
        has_components = bool(self.components.on(request["EndpointName"]))
        return self.endpoints.delete(request, now, has_components=has_components)
