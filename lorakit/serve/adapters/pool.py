"""Many adapters on one base: a fixed number of slots, chosen per token.

Every slot is one stretch of memory, [rank, everything that the adapted layers read and write], so that an adapter is
copied at once; slot 0 stands for the base itself. A hook on each adapted layer adds (x A) B to what the layer says.

Tokens that read a prompt, and rows that share an adapter, use its slot. Other rows each say a token through a lane, a
copy of the slot of the row's adapter: with one row to a lane, all lanes are multiplied at once, and nothing is copied
for a step in which the same adapters speak as before.
"""

from collections import Counter, OrderedDict
from collections.abc import Iterator, Sequence, Set
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from torch import nn
from transformers import PreTrainedModel

from lorakit.errors import PackageError
from lorakit.package import WEIGHTS, AdapterConfig

BASE_SLOT = 0
SHARED = 4
"""Rows of one adapter that are multiplied together, instead of each in its lane."""


@dataclass(frozen=True)
class StoredAdapter:
    """A checked, unpacked adapter on disk; `sha256` is the hash of its package."""

    sha256: str
    directory: Path
    config: AdapterConfig
    modules: tuple[str, ...]


@dataclass(frozen=True)
class Layer:
    """An adapted layer, and where its A of `inner` columns and B of `outer` columns begin in a slot."""

    start: int
    inner: int
    outer: int

    def matrices(self, slots: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """A as [..., inner, rank] and B as [..., rank, outer] of slots of shape [..., rank, width]."""
        middle = self.start + self.inner
        return slots[..., self.start : middle].transpose(-1, -2), slots[..., middle : middle + self.outer]


Matrices = dict[str, tuple[torch.Tensor, torch.Tensor]]


@dataclass(frozen=True)
class Applied:
    """What the tokens of one step use: the first of them a lane each, then stretches of tokens one slot each."""

    lanes: int
    lane_matrices: Matrices
    stretches: list[tuple[int, int, Matrices]]


class SlotPool:
    """Slots for LoRA weights on a model, filled on demand; the least recently used adapter is evicted first.

    Adapters whose hash is in `pinned` are never evicted. Only the thread that runs the model may call anything except
    `check` and `fill`.
    """

    def __init__(self, model: PreTrainedModel, *, slots: int, max_rank: int, lanes: int = 32) -> None:
        self.slots = slots
        self.max_rank = max_rank
        self.loads = 0
        self.pinned: frozenset[str] = frozenset()
        self._layers: dict[str, Layer] = {}
        width = 0
        output = model.get_output_embeddings()  # type: ignore[no-untyped-call]
        for name, module in model.named_modules():
            if isinstance(module, nn.Linear) and module is not output:
                self._layers[name] = Layer(width, module.in_features, module.out_features)
                width += module.in_features + module.out_features
                module.register_forward_hook(self._hook(name))
        options: dict[str, Any] = {"dtype": model.dtype, "device": model.device}
        self._slots = torch.zeros(slots + 1, max_rank, width, **options)
        # Only what was copied there is ever read, so that lanes take no memory before.
        self._lanes = torch.empty(lanes, max_rank, width, **options)
        self._held = [(BASE_SLOT, 0)] * lanes
        self._ranks = [0] * (slots + 1)
        self._resident: OrderedDict[str, int] = OrderedDict()
        self._free = list(range(slots, 0, -1))
        self._uses: Counter[int] = Counter()
        self._lane_views: dict[tuple[int, int], Matrices] = {}
        self._slot_views: dict[int, Matrices] = {}
        self._applied: Applied | None = None

    def _hook(self, name: str) -> Any:
        def add(module: nn.Module, inputs: tuple[torch.Tensor, ...], output: torch.Tensor) -> torch.Tensor:
            applied = self._applied
            if applied is None:
                return output
            x, y = inputs[0][0], output[0]
            if applied.lanes:
                a, b = applied.lane_matrices[name]
                y[: applied.lanes].unsqueeze(1).baddbmm_(torch.bmm(x[: applied.lanes].unsqueeze(1), a), b)
            for start, end, matrices in applied.stretches:
                a, b = matrices[name]
                y[start:end].addmm_(x[start:end] @ a, b)
            return output

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
                if layer is None or (inner, outer) != (layer.inner, layer.outer):
                    text = f"The adapter was made for another base model: {module} does not fit."
                    raise PackageError("package:wrong_base", text)

    def acquire(self, adapter: StoredAdapter | None) -> int | None:
        """Hold the adapter's slot until `release`, loading it if necessary. None while others hold every slot."""
        if adapter is None:
            return BASE_SLOT
        slot = self.slot_of(adapter)
        if slot is None:
            slot = self.vacate(frozenset())
            if slot is None:
                return None
            self.fill(slot, adapter)
            self.settle(adapter, slot)
        self._uses[slot] += 1
        return slot

    def release(self, slot: int) -> None:
        """Undo one `acquire`."""
        if slot != BASE_SLOT:
            self._uses[slot] -= 1

    def slot_of(self, adapter: StoredAdapter | None) -> int | None:
        """The slot of an adapter that is in one, which makes it the most recently used; else None."""
        if adapter is None:
            return BASE_SLOT
        slot = self._resident.get(adapter.sha256)
        if slot is not None:
            self._resident.move_to_end(adapter.sha256)
        return slot

    @property
    def has_free(self) -> bool:
        """Whether a slot has never been filled, or not since it was given up."""
        return bool(self._free)

    @property
    def size(self) -> int:
        """Bytes of the slots."""
        return self._slots.nbytes

    def resident(self) -> list[str]:
        """Hashes of the adapters in slots, least recently used first."""
        return list(self._resident)

    def vacate(self, keep: Set[str]) -> int | None:
        """A slot to fill, made free by evicting an adapter that nobody holds and whose hash is not in `keep`."""
        if self._free:
            return self._free.pop()
        for sha256, slot in self._resident.items():
            if not self._uses[slot] and sha256 not in keep and sha256 not in self.pinned:
                del self._resident[sha256]
                return slot
        return None

    @torch.inference_mode()
    def fill(self, slot: int, adapter: StoredAdapter) -> None:
        """Read an adapter into a slot that `vacate` gave; any thread may. `settle` or `give_up` has to follow."""
        rank = adapter.config.rank
        self._slots[slot].zero_()
        room = self._slots[slot, :rank]
        with safe_open(adapter.directory / WEIGHTS, framework="pt") as weights:
            for name in adapter.modules:
                a, b = self._layers[name].matrices(room)
                a.copy_(weights.get_tensor(f"base_model.model.{name}.lora_A.weight").T)
                b.copy_(weights.get_tensor(f"base_model.model.{name}.lora_B.weight").T)
                b *= adapter.config.scale

    def settle(self, adapter: StoredAdapter, slot: int) -> None:
        """Let requests use what a slot was filled with."""
        self._ranks[slot] = adapter.config.rank
        self._resident[adapter.sha256] = slot
        self._slot_views.pop(slot, None)
        self._held = [(BASE_SLOT, 0) if held == slot else (held, rank) for held, rank in self._held]
        self.loads += 1

    def give_up(self, slot: int) -> None:
        """Take back a slot that could not be filled."""
        self._free.append(slot)

    def lay_out(self, saying: Sequence[int], reading: Sequence[tuple[int, int]]) -> tuple[list[int], Applied | None]:
        """How rows and their slots lie in a pack, and what its tokens use, None if that is only the base.

        `saying` has the slots of rows that say one token each, which come first, in the order that is returned;
        `reading` has the slot and the number of tokens of each stretch after them.
        """
        counts = Counter(saying)
        alone = [row for row, slot in enumerate(saying) if slot != BASE_SLOT and counts[slot] < SHARED]
        together = [row for row, slot in enumerate(saying) if slot != BASE_SLOT and counts[slot] >= SHARED]
        together.sort(key=lambda row: saying[row])
        order = [*self._in_lanes(saying, alone), *together]
        order += [row for row, slot in enumerate(saying) if slot == BASE_SLOT]
        stretches = []
        place = len(alone)
        for slot, rows in groupby(saying[row] for row in together):
            stretches.append((place, place := place + len(list(rows)), self._slot_matrices(slot)))
        place = len(saying)
        for slot, count in reading:
            if slot != BASE_SLOT:
                stretches.append((place, place + count, self._slot_matrices(slot)))
            place += count
        if not alone and not stretches:
            return order, None
        return order, Applied(len(alone), self._fill_lanes([saying[row] for row in order[: len(alone)]]), stretches)

    def _in_lanes(self, slots: Sequence[int], rows: Sequence[int]) -> list[int]:
        """The rows in an order that leaves as many lanes as possible as they are."""
        waiting: dict[int, list[int]] = {}
        for row in rows:
            waiting.setdefault(slots[row], []).append(row)
        placed = [waiting[held].pop() if waiting.get(held) else None for held, _ in self._held[: len(rows)]]
        others = iter([row for left in waiting.values() for row in left])
        return [next(others) if row is None else row for row in placed]

    @torch.inference_mode()
    def _fill_lanes(self, slots: Sequence[int]) -> Matrices:
        """The matrices of the first lanes, which hold these slots afterwards."""
        rank = max((self._ranks[slot] for slot in slots), default=0)
        for lane, slot in enumerate(slots):
            held, ranks = self._held[lane]
            if held != slot or ranks < rank:
                self._lanes[lane, :rank].copy_(self._slots[slot, :rank])
                self._held[lane] = slot, rank
        key = len(slots), rank
        if key not in self._lane_views:
            self._lane_views[key] = self._views(self._lanes[: len(slots), :rank])
        return self._lane_views[key]

    def _slot_matrices(self, slot: int) -> Matrices:
        if slot not in self._slot_views:
            self._slot_views[slot] = self._views(self._slots[slot, : self._ranks[slot]])
        return self._slot_views[slot]

    def _views(self, slots: torch.Tensor) -> Matrices:
        return {name: layer.matrices(slots) for name, layer in self._layers.items()}

    @contextmanager
    def applied(self, applied: Applied | None) -> Iterator[None]:
        """Apply adapters to what the model reads inside the block."""
        self._applied = applied
        try:
            yield
        finally:
            self._applied = None
