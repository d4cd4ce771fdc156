"""How an engine is set up, as far as it decides what fits."""

from dataclasses import dataclass, replace
from typing import Any, Literal, Self

from lorakit.capacity.ranks import RANKS, rounded_rank

Engine = Literal["lorakit", "vllm"]
Precision = Literal["fp32", "bf16", "nf4"]

UTILISATION = 0.9
"""vLLM's default `--gpu-memory-utilization`. The rest of the GPU is for CUDA graphs and whatever else runs there."""

USEFUL_RANK = 8
"""Few adapters have a lower one."""


@dataclass(frozen=True, kw_only=True)
class Setup:
    """One engine with one base.

    `device_bytes` is the memory of one GPU, or of the machine where there is none; None if it is unknown. `slots`
    adapters may be in one batch; `host_adapters`, which include those, stay in the machine's memory. `context` is the
    longest sequence in tokens, `width` the most sequences in a batch.
    """

    engine: Engine
    precision: Precision
    device_bytes: int | None
    slots: int
    host_adapters: int
    max_rank: int
    context: int
    width: int
    gpus: int = 1
    has_gpu: bool = True
    utilisation: float = UTILISATION

    def __post_init__(self) -> None:
        counts = (self.slots, self.host_adapters, self.context, self.width, self.gpus, self.device_bytes or 1)
        if min(counts) < 1 or not 0 < self.utilisation <= 1:
            raise ValueError("Slots, adapters in memory, context, requests in a batch and memory must be above 0")
        if self.engine == "vllm":
            rounded_rank(self.max_rank)
        elif self.max_rank < 1:
            raise ValueError("The maximum rank must be at least 1")

    @property
    def slot_rank(self) -> int:
        """The rank that every slot has room for."""
        return rounded_rank(self.max_rank) if self.engine == "vllm" else self.max_rank

    @property
    def lower_ranks(self) -> tuple[int, ...]:
        """The maximum ranks below this one that are worth proposing."""
        return tuple(rank for rank in RANKS if USEFUL_RANK <= rank < self.slot_rank)

    @property
    def budget(self) -> int | None:
        """Bytes of one device that the engine may take."""
        if self.device_bytes is None:
            return None
        return int(self.device_bytes * (self.utilisation if self.has_gpu else 1.0))

    def but(self, **changes: Any) -> Self:
        """The same with other figures."""
        return replace(self, **changes)
