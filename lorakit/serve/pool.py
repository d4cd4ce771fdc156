"""Many adapters on one base: a fixed number of slots, chosen per row.

Each adapted layer stacks its slots' matrices, A as [slots + 1, in, rank] and B as [slots + 1, rank,
out]. Slot 0 is all zeros and represents the base itself. A forward hook adds (x A) B with each row's
slot, so rows of different adapters share one forward pass of the base.
"""

from collections import Counter, OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from torch import nn
from transformers import PreTrainedModel

from lorakit.errors import PackageError
from lorakit.package import WEIGHTS, AdapterConfig

BASE_SLOT = 0


@dataclass(frozen=True)
class StoredAdapter:
    """A checked, unpacked adapter on disk; `sha256` is the hash of its package."""

    sha256: str
    directory: Path
    config: AdapterConfig
    modules: tuple[str, ...]


@dataclass(frozen=True)
class Gathered:
    """The matrices of a batch: layer name -> A [rows, in, rank] and B [rows, rank, out], scaled."""

    layers: dict[str, tuple[torch.Tensor, torch.Tensor]]


class SlotPool:
    """Slots for LoRA weights on a model, filled on demand; the least recently used adapter is evicted first.

    Not thread-safe: only the thread that runs the model may call anything except `check`.
    """

    def __init__(self, model: PreTrainedModel, *, slots: int, max_rank: int) -> None:
        self.slots = slots
        self.max_rank = max_rank
        self.loads = 0
        self._layers: dict[str, tuple[torch.Tensor, torch.Tensor]] = {}
        self._scales = torch.zeros(slots + 1)
        self._ranks = [0] * (slots + 1)
        self._resident: OrderedDict[str, int] = OrderedDict()
        self._free = list(range(slots, 0, -1))
        self._pins: Counter[int] = Counter()
        self._active: Gathered | None = None
        output = model.get_output_embeddings()  # type: ignore[no-untyped-call]
        for name, module in model.named_modules():
            if isinstance(module, nn.Linear) and module is not output:
                self._layers[name] = (
                    module.weight.new_zeros(slots + 1, module.in_features, max_rank),
                    module.weight.new_zeros(slots + 1, max_rank, module.out_features),
                )
                module.register_forward_hook(self._hook(name))

    def _hook(self, name: str) -> Any:
        def add(module: nn.Module, inputs: tuple[torch.Tensor, ...], output: torch.Tensor) -> torch.Tensor:
            if self._active is None:
                return output
            a, b = self._active.layers[name]
            return output + torch.bmm(torch.bmm(inputs[0], a), b)

        return add

    def check(self, adapter: StoredAdapter) -> None:
        """Raise `PackageError` for an adapter that does not fit these slots or this base."""
        if adapter.config.rank > self.max_rank:
            text = f"The adapter's rank {adapter.config.rank} is above this server's limit of {self.max_rank}."
            raise PackageError("package:rank_above_limit", text)
        with safe_open(adapter.directory / WEIGHTS, framework="pt") as weights:
            for module in adapter.modules:
                layer = self._layers.get(module)
                inner = weights.get_slice(f"base_model.model.{module}.lora_A.weight").get_shape()[1]
                outer = weights.get_slice(f"base_model.model.{module}.lora_B.weight").get_shape()[0]
                if layer is None or (inner, outer) != (layer[0].shape[1], layer[1].shape[2]):
                    text = f"The adapter was made for another base model: {module} does not fit."
                    raise PackageError("package:wrong_base", text)

    def acquire(self, adapter: StoredAdapter | None) -> int | None:
        """Pin the adapter's slot, loading it if necessary. Returns None while other adapters pin every slot."""
        if adapter is None:
            return BASE_SLOT
        slot = self._resident.get(adapter.sha256)
        if slot is None:
            slot = self._vacate()
            if slot is None:
                return None
            self._fill(slot, adapter)
            self._resident[adapter.sha256] = slot
        self._resident.move_to_end(adapter.sha256)
        self._pins[slot] += 1
        return slot

    def release(self, slot: int) -> None:
        """Undo one `acquire`."""
        if slot != BASE_SLOT:
            self._pins[slot] -= 1

    def resident(self) -> list[str]:
        """Hashes of the adapters in slots, least recently used first."""
        return list(self._resident)

    def _vacate(self) -> int | None:
        if self._free:
            return self._free.pop()
        for sha256, slot in self._resident.items():
            if not self._pins[slot]:
                del self._resident[sha256]
                return slot
        return None

    @torch.inference_mode()
    def _fill(self, slot: int, adapter: StoredAdapter) -> None:
        rank = adapter.config.rank
        adapted = set(adapter.modules)
        with safe_open(adapter.directory / WEIGHTS, framework="pt") as weights:
            for name, (a, b) in self._layers.items():
                a[slot].zero_()
                b[slot].zero_()
                if name in adapted:
                    a[slot, :, :rank] = weights.get_tensor(f"base_model.model.{name}.lora_A.weight").T
                    b[slot, :rank] = weights.get_tensor(f"base_model.model.{name}.lora_B.weight").T
        self._scales[slot] = adapter.config.scale
        self._ranks[slot] = rank
        self.loads += 1

    @torch.inference_mode()
    def gather(self, slots: Sequence[int]) -> Gathered | None:
        """The matrices of a batch whose row i uses slots[i]. Returns None if all rows use the base.

        Call it once per composition of a batch, not at each step.
        """
        rank = max((self._ranks[slot] for slot in slots if slot != BASE_SLOT), default=0)
        if not rank:
            return None
        index = torch.tensor(slots)
        scales = self._scales[index].view(-1, 1, 1)
        return Gathered(
            {name: (a[index, :, :rank], b[index, :rank] * scales.to(b)) for name, (a, b) in self._layers.items()}
        )

    @contextmanager
    def applied(self, gathered: Gathered | None) -> Iterator[None]:
        """Apply these matrices to the model inside the block."""
        self._active = gathered
        try:
            yield
        finally:
            self._active = None
