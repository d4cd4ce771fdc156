"""GPU memory of a QLoRA training, calculated part by part.

The parts follow what `lorakit.train` does on a GPU: NF4 weights with double quantisation (Dettmers et al., 2023:
0.127 bits a weight for the constants), everything else of the base cast to 32 bits by PEFT, adapters and their
gradients in 32 bits, two 8-bit optimiser states, and gradient checkpointing. A block's own activations are 34 bytes
a token and hidden unit (Korthikanti et al., 2022, without the attention matrix, which is never stored). What a logit
and a kept hidden unit take was measured on an H200 (`bench/gpu_memory.py`): the sum is within 7 % of what PyTorch
allocated for Llama's shapes of 1B and 8B. PyTorch reserves up to a fifth more; it gives that back before it fails, and
`MARGIN` leaves room for what fragments.
"""

from dataclasses import dataclass

from adapters.recipes.hyperparameters import Hyperparameters
from lorakit.capacity.machines import GIB
from lorakit.capacity.plan import NF4_BYTES
from lorakit.capacity.shape import Shape

FLOAT_BYTES = 4
BFLOAT16_BYTES = 2
OPTIMISER_BYTES = 2
BLOCK_BYTES = 34
KEPT_BYTES = 6
"""What each block was given, in 32 bits and again in 16."""
LOGIT_BYTES = 15
"""The logits, the loss's copies of them and their gradient."""
CUDA_BYTES = 1 * GIB
"""The CUDA context with the libraries' kernels and workspaces."""
MARGIN = 0.1


@dataclass(frozen=True, kw_only=True)
class TrainingMemory:
    """Bytes on one GPU, by component."""

    base: int
    adapter: int
    optimiser: int
    activations: int
    cuda: int = CUDA_BYTES

    @property
    def total(self) -> int:
        return self.base + self.adapter + self.optimiser + self.activations + self.cuda

    @property
    def parts(self) -> tuple[tuple[str, int], ...]:
        """(what, bytes), for a table."""
        return (
            ("Base model in 4-bit", self.base),
            ("Adapter and gradients", self.adapter),
            ("Optimiser", self.optimiser),
            ("Activations", self.activations),
            ("CUDA context", self.cuda),
        )

    def fits(self, gpu_bytes: int) -> bool:
        """Whether it fits on a GPU of that size with `MARGIN` to spare."""
        return self.total <= gpu_bytes * (1 - MARGIN)


def training_memory(shape: Shape, hyperparameters: Hyperparameters, *, row_tokens: int) -> TrainingMemory:
    """Peak bytes of one step in which every row has `tokens` tokens."""
    trained = shape.adapter_parameters(rank=hyperparameters.rank, modules=hyperparameters.target_modules)
    tokens = hyperparameters.batch_size * row_tokens
    # What each block was given is kept; one block at a time is computed again, with its weights unpacked.
    kept = shape.blocks * tokens * shape.hidden * KEPT_BYTES
    block = tokens * shape.hidden * BLOCK_BYTES + max(linear.parameters for linear in shape.linears) * BFLOAT16_BYTES
    logits = tokens * shape.vocabulary * LOGIT_BYTES
    return TrainingMemory(
        base=round(shape.linear_parameters * NF4_BYTES) + shape.other_parameters * FLOAT_BYTES,
        adapter=trained * 2 * FLOAT_BYTES,
        optimiser=trained * OPTIMISER_BYTES,
        # The loss and the blocks are never at their peak together.
        activations=kept + max(block, logits),
    )


def adapter_bytes(shape: Shape, hyperparameters: Hyperparameters) -> int:
    """Bytes of the adapter's weights, which are stored in 32 bits."""
    trained = shape.adapter_parameters(rank=hyperparameters.rank, modules=hyperparameters.target_modules)
    return trained * FLOAT_BYTES
