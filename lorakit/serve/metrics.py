"""What the engine tells Prometheus, under vLLM's names and those it is about to have (vllm-project/vllm#54830)."""

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 25.0, 50.0, 100.0)
LOAD_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)


@dataclass(frozen=True)
class Loaded:
    """An adapter in a slot under one of its names."""

    name: str
    rank: int
    is_pinned: bool


@dataclass(frozen=True)
class State:
    """How an engine is at one moment: `memory` is bytes by part, `cache_share` of what keys and values may take."""

    running: int
    waiting: int
    slots: int
    resident: int
    loaded: list[Loaded]
    cache_share: float
    memory: dict[str, int]


class Gauges(Collector):
    """Reads the state when it is asked for."""

    def __init__(self, state: Callable[[], State]) -> None:
        self._state = state

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """One family for each figure."""
        state = self._state()
        figures = {
            "vllm:num_requests_running": (state.running, "Rows in the last step."),
            "vllm:num_requests_waiting": (state.waiting, "Other rows that wait."),
            "vllm:kv_cache_usage_perc": (state.cache_share, "Share of the memory for keys and values, from 0 to 1."),
            "vllm:max_gpu_lora_adapters": (state.slots, "Slots for adapters."),
            "vllm:num_gpu_loaded_lora_adapters": (state.resident, "Adapters in slots."),
            "vllm:num_cpu_loaded_lora_adapters": (0, "Adapters in memory outside slots: the others are on disk."),
        }
        for name, (value, text) in figures.items():
            yield GaugeMetricFamily(name, text, value=value)
        loaded = GaugeMetricFamily(
            "vllm:lora_adapter_loaded", "Adapters in slots.", labels=("adapter_name", "level", "pinned", "rank")
        )
        for one in state.loaded:
            loaded.add_metric((one.name, "gpu", str(one.is_pinned).lower(), str(one.rank)), 1)
        yield loaded
        memory = GaugeMetricFamily("lorakit:memory_bytes", "Memory by what takes it.", labels=("part",))
        for part, size in state.memory.items():
            memory.add_metric((part,), size)
        yield memory


class Metrics:
    """The metrics of one engine."""

    def __init__(self, state: Callable[[], State]) -> None:
        self._registry = registry = CollectorRegistry()
        registry.register(Gauges(state))
        model = ["model_name"]
        reasons = [*model, "finished_reason"]
        first, whole, load = (
            "From the queue to the first token.",
            "From the queue to the end.",
            "From disk into a slot.",
        )
        self._prompt = Counter("vllm:prompt_tokens", "Tokens of prompts.", model, registry=registry)
        self._generated = Counter("vllm:generation_tokens", "Tokens of answers.", model, registry=registry)
        self._ended = Counter("vllm:request_success", "Requests by how they ended.", reasons, registry=registry)
        self._first = Histogram("vllm:time_to_first_token_seconds", first, model, buckets=SECONDS, registry=registry)
        self._whole = Histogram("vllm:e2e_request_latency_seconds", whole, model, buckets=SECONDS, registry=registry)
        self._load = Histogram("vllm:lora_adapter_load_seconds", load, buckets=LOAD_SECONDS, registry=registry)

    def loaded(self, seconds: float) -> None:
        """An adapter was put into a slot."""
        self._load.observe(seconds)

    def began(self, model: str) -> "Timing":
        """A request is queued."""
        return Timing(self, model)

    def text(self) -> bytes:
        """Everything, in Prometheus's text format."""
        return generate_latest(self._registry)

    def first_token(self, model: str, seconds: float) -> None:
        """A request has its first token."""
        self._first.labels(model).observe(seconds)

    def ended(self, model: str, reason: str, *, seconds: float, prompt: int, generated: int) -> None:
        """A request ended."""
        self._whole.labels(model).observe(seconds)
        self._prompt.labels(model).inc(prompt)
        self._generated.labels(model).inc(generated)
        self._ended.labels(model, reason).inc()

    def forget(self, model: str) -> None:
        """Drop the series of a model that is no longer served, so that their number stays that of the adapters."""
        for family in (self._prompt, self._generated, self._first, self._whole):
            family.remove_by_labels({"model_name": model})
        self._ended.remove_by_labels({"model_name": model})


class Timing:
    """The clock of one request."""

    def __init__(self, metrics: Metrics, model: str) -> None:
        self._metrics = metrics
        self._model = model
        self._started = time.perf_counter()
        self._has_begun = False

    def token(self) -> None:
        """A token came."""
        if not self._has_begun:
            self._has_begun = True
            self._metrics.first_token(self._model, time.perf_counter() - self._started)

    def end(self, reason: str, *, prompt: int, generated: int) -> None:
        """The request ended."""
        seconds = time.perf_counter() - self._started
        self._metrics.ended(self._model, reason, seconds=seconds, prompt=prompt, generated=generated)


def process_bytes() -> int:
    """Memory of this process."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")
