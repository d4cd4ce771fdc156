"""Hosting and what scales it as one service: operations, clock and lock."""

import threading
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path

from standin.clock import Clock
from standin.cloudwatch.containers import Containers
from standin.cloudwatch.data import MetricData
from standin.cloudwatch.metrics import Metrics
from standin.cloudwatch.promql.http import PromQL
from standin.cloudwatch.utilisation import Utilisation
from standin.hosting.component import BaseComponent
from standin.hosting.components import Components
from standin.hosting.endpoints import Endpoints, HostingTiming
from standin.hosting.listing import Request
from standin.hosting.models import Models
from standin.objects import Objects
from standin.recommendations import Recommendations
from standin.scaling.autoscaling import Autoscaling

LOOK_SECONDS = 60.0

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
        self.metric_data = MetricData(self.metrics)
        self.running: Counter[str] = Counter()
        self.containers = Containers()
        self.promql = PromQL(self.containers.series)
        self._utilisation = Utilisation(self.metrics)
        self._looked_at = 0
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
            **self.metric_data.operations,
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
            if int(now // LOOK_SECONDS) > self._looked_at:
                self._looked_at = int(now // LOOK_SECONDS)
                self._look_at_containers(now)

    def _look_at_containers(self, now: float) -> None:
        """Publish how busy the bases are, and what their engines say."""
        for one in self.components.by_name.values():
            if not isinstance(one, BaseComponent) or one.engine is None or not one.is_ready:
                continue
            engine, named = one.engine, {"component": one.name, "endpoint": one.endpoint}
            self._utilisation.sample(**named, pid=engine.pid, folder=one.folder, now=now)
            if self.endpoints.find(one.endpoint).is_observed:
                self.containers.scrape(**named, url=engine.url, now=now)

    @property
    def now(self) -> float:
        return self._clock.now()

    def count(self, metric: str, **dimensions: str) -> None:
        """Count one in a metric of CloudWatch, at the present."""
        self.publish({metric: 1.0}, **dimensions)

    def publish(self, values: Mapping[str, float], **dimensions: str) -> None:
        """Publish values of CloudWatch's metrics, at the present."""
        with self.lock:
            for name, value in values.items():
                self.metrics.add(name, dimensions, self._clock.now(), value)

    def run(self, components: set[str], change: int, copies: int) -> None:
        """One request more or less is running on each of the components, whose base has so many copies."""
        with self.lock:
            for name in components:
                self.running[name] += change
                values = {"ConcurrentRequestsPerCopy": self.running[name] / max(1, copies)}
                self.publish(values, InferenceComponentName=name)

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
