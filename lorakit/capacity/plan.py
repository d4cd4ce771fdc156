"""Memory of an engine, part by part, before it is started.

vLLM reserves its slots when it starts: A and B of every linear layer, of the embedding and of the head, each for the
maximum rank, whatever the adapters change (`lora/layers/*.py`, `create_lora_weights`). Of several GPUs, each holds its
share of the base and the cache, and of one side of each slot's matrices. What is left of its share of the GPU becomes
the cache. Our own engine does the same for the linear layers but the head, with one slot more, which stands for the
base; its cache grows as requests come, and so do its lanes, copies of slots for the rows of a batch
(`lorakit/serve/adapters/pool.py`).
"""

from dataclasses import dataclass, replace

from lorakit.capacity.machines import MIB
from lorakit.capacity.setup import Setup
from lorakit.capacity.shape import Shape

NF4_BYTES = (4 + 0.127) / 8
"""With double quantisation (Dettmers et al., 2023: 0.127 bits a weight for the constants)."""

WEIGHT_BYTES = {"fp32": 4.0, "bf16": 2.0, "nf4": NF4_BYTES}

NUMBER_BYTES = {"fp32": 4, "bf16": 2, "nf4": 2}
"""A number of an adapter, of the cache, and of what 4-bit quantisation leaves as it is."""

CUDA_BYTES = 512 * MIB
"""The CUDA context with kernels and workspaces, of which vLLM's start-up log shows 0.1 to 0.6 GiB."""

BATCHED_TOKENS = 8192
"""Tokens that vLLM reads in one step (`--max-num-batched-tokens`), which its start-up measures activations with."""

LOGIT_BYTES = 8
"""Of one row: a logit in 32 bits and its copy."""

PROCESS_BYTES = 380_000_000
"""Python, PyTorch and transformers of our own engine on a CPU, resident (docs/capacity.md: measured)."""

ROW_SHARED = frozenset({"o_proj", "down_proj"})
"""Layers that several GPUs share by their inputs; the others are shared by their outputs."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Bytes of one device by part. `limit` is what the engine may take of it, None where that is unknown.

    `cache` is what is left for keys and values, negative if the rest does not fit; without a limit, what a full batch
    of the longest sequences needs. `lanes` is what a full batch of different adapters takes beside the slots. `host` is
    what adapters outside slots take of the machine's memory.
    """

    setup: Setup
    base: int
    slots: int
    process: int
    lanes: int
    cache: int
    host: int
    slot: int
    token: int
    limit: int | None

    @property
    def fixed(self) -> int:
        """What is taken before the first request."""
        return self.base + self.slots + self.process

    @property
    def fits(self) -> bool:
        """Whether one sequence of the longest context fits, without which vLLM does not start."""
        return self.sequences(self.setup.context) >= 1

    @property
    def parts(self) -> tuple[tuple[str, str, int], ...]:
        """(key, title, bytes), the cache last."""
        return (
            ("base", "Base model", self.base),
            ("slots", "Adapter slots", self.slots),
            ("process", "Engine", self.process),
            *((("lanes", "Adapters of a batch", self.lanes),) if self.lanes else ()),
            ("cache", "Key-value cache", max(0, self.cache)),
        )

    def sequences(self, tokens: int) -> int:
        """How many sequences of that many tokens can run at once."""
        return min(self.setup.width, max(0, self.cache) // (self.token * max(1, tokens)))

    def most_slots(self, sequences: int) -> int | None:
        """The most slots that leave room for so many of the longest sequences; None without a limit."""
        if self.limit is None:
            return None
        # Our engine's zeroth slot counts as part of what is fixed.
        spare = self.slots - self.setup.slots * self.slot
        left = self.limit - self.base - self.process - self.lanes - spare - sequences * self.setup.context * self.token
        return max(0, left // self.slot)


def plan_of(shape: Shape, setup: Setup) -> Plan:
    """The plan of one device of an engine."""
    slot, token = slot_bytes(shape, setup), token_bytes(shape, setup)
    base, process = base_bytes(shape, setup), process_bytes(shape, setup)
    slots = slot * (setup.slots + (setup.engine == "lorakit"))
    lanes = slot * setup.width if setup.engine == "lorakit" else 0
    limit = setup.budget
    cache = setup.width * setup.context * token if limit is None else limit - base - slots - process - lanes
    return Plan(
        setup=setup,
        base=base,
        slots=slots,
        process=process,
        lanes=lanes,
        cache=cache,
        host=host_bytes(shape, setup),
        slot=slot,
        token=token,
        limit=limit,
    )


def base_bytes(shape: Shape, setup: Setup) -> int:
    """The base's weights, on one of its GPUs.

    On a CPU our own engine packs the head's weights (`lorakit/linear.py`), so that they lie apart from the embedding's,
    and may halve all packed ones; that is left out here.
    """
    if setup.engine == "lorakit" and not setup.has_gpu and shape.tied_embeddings:
        shape = replace(shape, tied_embeddings=False)
    linear = shape.linear_parameters * WEIGHT_BYTES[setup.precision]
    return round((linear + shape.other_parameters * NUMBER_BYTES[setup.precision]) / setup.gpus)


def token_bytes(shape: Shape, setup: Setup) -> int:
    """What a token leaves in the cache, on one of the GPUs. Key-value heads beyond their number are copied."""
    share = max(shape.kv_heads // setup.gpus, 1) / shape.kv_heads
    return round(shape.cache_numbers * share * NUMBER_BYTES[setup.precision])


def slot_bytes(shape: Shape, setup: Setup) -> int:
    """One slot, on one of the GPUs."""
    rank, gpus = setup.slot_rank, setup.gpus
    sides = 0
    for linear in shape.linears:
        is_by_row = linear.name in ROW_SHARED
        sides += linear.inputs // (gpus if is_by_row else 1) + linear.outputs // (1 if is_by_row else gpus)
    numbers = shape.blocks * sides * rank
    if setup.engine == "vllm":
        # The embedding's and the head's are on every GPU whole.
        numbers += 2 * (shape.vocabulary + shape.hidden) * rank
    return numbers * NUMBER_BYTES[setup.precision]


def process_bytes(shape: Shape, setup: Setup) -> int:
    """What the engine takes besides weights, slots and cache."""
    if not setup.has_gpu:
        return PROCESS_BYTES
    tokens = min(BATCHED_TOKENS, max(2048, setup.context))
    step = tokens * (3 * shape.inner // setup.gpus + 4 * shape.hidden) * NUMBER_BYTES[setup.precision]
    return CUDA_BYTES + step + setup.width * shape.vocabulary * LOGIT_BYTES


def host_bytes(shape: Shape, setup: Setup) -> int:
    """Adapters in the machine's memory, at most. Our own engine reads them from its disk again."""
    if setup.engine == "lorakit":
        return 0
    numbers = shape.adapter_parameters(rank=setup.slot_rank, modules="all-linear")
    return setup.host_adapters * numbers * NUMBER_BYTES[setup.precision]
