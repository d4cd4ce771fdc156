"""Where an engine has its adapters, from its metrics.

The names are those that vLLM is about to have (vllm-project/vllm#54830); our own engine has them, and memory by part.
vLLM's `lora_requests_info` is not read: it names adapters with requests in flight only.
"""

import math
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Literal

from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

LONGEST = 4 * 1024 * 1024
"""Characters of metrics that are read; an engine writes a few hundred thousand."""

Level = Literal["gpu", "cpu"]


@dataclass(frozen=True, kw_only=True)
class Loaded:
    """An adapter in a slot ("gpu") or in the machine's memory ("cpu")."""

    level: Level
    is_pinned: bool = False


@dataclass(frozen=True, kw_only=True)
class Residency:
    """What an endpoint holds where. `loads` were made since it started and took `load_seconds` in all.

    `memory` is bytes by part: "base", "slots", "cache" and "process".
    """

    adapters: Mapping[str, Loaded] = field(default_factory=dict)
    slots: int | None = None
    loads: int = 0
    load_seconds: float = 0.0
    running: int = 0
    waiting: int = 0
    memory: Mapping[str, int] = field(default_factory=dict)

    @property
    def pinned(self) -> frozenset[str]:
        """Names of adapters that are never dropped from their slot."""
        return frozenset(name for name, one in self.adapters.items() if one.is_pinned)

    @property
    def seconds_a_load(self) -> float | None:
        """How long putting an adapter into a slot takes; None before the first."""
        return self.load_seconds / self.loads if self.loads else None


def read_residency(text: str) -> Residency | None:
    """What metrics say; None if they say nothing of adapters' places."""
    adapters: dict[str, Loaded] = {}
    figures: dict[str, float] = {}
    memory: dict[str, int] = {}
    for sample in samples(text):
        name, labels = sample.name, sample.labels
        if name == "vllm:lora_adapter_loaded" and sample.value and labels.get("adapter_name"):
            level: Level = "gpu" if labels.get("level") == "gpu" else "cpu"
            if level == "gpu" or labels["adapter_name"] not in adapters:
                is_pinned = labels.get("pinned", "").lower() in ("true", "1")
                adapters[labels["adapter_name"]] = Loaded(level=level, is_pinned=is_pinned)
        elif name == "lorakit:memory_bytes":
            memory[labels.get("part", "")] = int(sample.value)
        elif name.startswith("vllm:"):
            # Of several engine cores, each has its own sample.
            figures[name] = figures.get(name, 0.0) + sample.value
    slots = figures.get("vllm:max_gpu_lora_adapters")
    if slots is None:
        return None
    return Residency(
        adapters=adapters,
        slots=int(slots),
        loads=int(figures.get("vllm:lora_adapter_load_seconds_count", 0)),
        load_seconds=figures.get("vllm:lora_adapter_load_seconds_sum", 0.0),
        running=int(figures.get("vllm:num_requests_running", 0)),
        waiting=int(figures.get("vllm:num_requests_waiting", 0)),
        memory=memory,
    )


def samples(text: str) -> Iterator[Sample]:
    """Every sample with a finite value. A line that is none costs its own figure, not the others."""
    for line in text[:LONGEST].splitlines():
        with suppress(ValueError):
            for family in text_string_to_metric_families(line):
                yield from (sample for sample in family.samples if math.isfinite(sample.value))


def joined(residencies: Iterable[Residency | None]) -> Residency | None:
    """That of several servers with the same adapters: each adapter is where its farthest copy is.

    None if one server doesn't say.
    """
    found = list(residencies)
    known = [one for one in found if one is not None]
    if not known or len(known) < len(found):
        return None
    everywhere = set.intersection(*(set(one.adapters) for one in known))
    return Residency(
        adapters={name: _farthest([one.adapters[name] for one in known]) for name in everywhere},
        slots=min((one.slots for one in known if one.slots is not None), default=None),
        loads=sum(one.loads for one in known),
        load_seconds=sum(one.load_seconds for one in known),
        running=sum(one.running for one in known),
        waiting=sum(one.waiting for one in known),
        memory={part: max(one.memory.get(part, 0) for one in known) for part in known[0].memory},
    )


def _farthest(copies: list[Loaded]) -> Loaded:
    level: Level = "gpu" if all(one.level == "gpu" for one in copies) else "cpu"
    return Loaded(level=level, is_pinned=all(one.is_pinned for one in copies))
