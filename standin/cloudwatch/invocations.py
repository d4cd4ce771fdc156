"""What CloudWatch is told of an invocation, once it is over."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol

MICROSECONDS = 1e6


class Publisher(Protocol):
    """Publishes values of SageMaker's metrics at the present, and counts what is running."""

    def publish(self, values: Mapping[str, float], **dimensions: str) -> None: ...
    def run(self, components: set[str], change: int, copies: int) -> None: ...


@dataclass(kw_only=True)
class Invocation:
    """One invocation of a component. `copies` is how many the base has.

    It runs from the first moment, and ends once: with an answer (`end`), or without having reached a model (`drop`).
    """

    publisher: Publisher
    endpoint: str
    component: str
    base: str
    copies: int
    started: float = field(default_factory=time.perf_counter)
    model_seconds: float = 0.0
    has_ended: bool = False
    _entered: float = 0.0

    def __post_init__(self) -> None:
        self.publisher.run(self._components, 1, self.copies)

    @property
    def _components(self) -> set[str]:
        # AWS does not say whether a base's copies count what its adapters are asked; autoscaling needs it.
        return {self.component, self.base}

    @contextmanager
    def in_model(self) -> Iterator[None]:
        """Its time in the container."""
        self._entered = time.perf_counter()
        try:
            yield
        finally:
            self.model_seconds += time.perf_counter() - self._entered

    def first_chunk(self) -> None:
        """The first piece of a stream has come, in the container's time."""
        now = time.perf_counter()
        whole, model = now - self.started, self.model_seconds + now - self._entered
        values = {
            "FirstChunkLatency": whole * MICROSECONDS,
            "FirstChunkModelLatency": model * MICROSECONDS,
            "FirstChunkOverheadLatency": (whole - model) * MICROSECONDS,
        }
        self.publisher.publish(values, EndpointName=self.endpoint, VariantName="AllTraffic")

    def stream_ended(self, *, with_error: bool) -> None:
        """Its stream is over."""
        values = {"MidStreamErrors": float(with_error)}
        self.publisher.publish(values, EndpointName=self.endpoint, VariantName="AllTraffic")

    def drop(self) -> None:
        """It was refused before it reached a model."""
        if not self.has_ended:
            self.has_ended = True
            self.publisher.run(self._components, -1, self.copies)

    def end(self, status: int, *, of_model: bool = False) -> None:
        """The answer had an HTTP status, which the container may have given (`of_model`)."""
        if self.has_ended:
            return
        self.drop()
        values = {
            "Invocations": 1.0,
            "Invocation4XXErrors": float(400 <= status < 500),
            "Invocation5XXErrors": float(status >= 500),
            "InvocationModelErrors": float(of_model and status >= 400),
        }
        if self.model_seconds:
            overhead = max(0.0, time.perf_counter() - self.started - self.model_seconds)
            values |= {
                "ModelLatency": self.model_seconds * MICROSECONDS,
                "OverheadLatency": overhead * MICROSECONDS,
            }
        self.publisher.publish(values, InferenceComponentName=self.component)
        self.publisher.publish(values, EndpointName=self.endpoint, VariantName="AllTraffic")
        for name in self._components:
            values = {"InvocationsPerCopy": 1.0 / max(1, self.copies)}
            self.publisher.publish(values, InferenceComponentName=name)
