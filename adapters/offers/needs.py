"""The GPU memory that a base model needs, and an instance that has it."""

from dataclasses import dataclass

from adapters.base_models.shapes import read_shape
from adapters.estimates.memory import adapter_bytes, training_memory
from adapters.models import BaseModel
from adapters.recipes.hyperparameters import Hyperparameters
from lorakit.capacity.machines import ONE_GPU, gpu_bytes, usable_gpu_bytes
from lorakit.capacity.plan import plan_of
from lorakit.capacity.setup import Setup
from lorakit.capacity.shape import Shape

USUAL = Hyperparameters(
    rank=16,
    alpha=32,
    target_modules="all-linear",
    epochs=3.0,
    learning_rate=2e-4,
    batch_size=4,
    gradient_accumulation=4,
    max_length=1024,
)
"""The training and the adapter whose sizes are told."""

SLOTS, SEQUENCES = 16, 8
"""What an engine has room for at least: adapters in a batch, and conversations of the longest kind."""
LONGEST = 4096
"""Tokens of such a conversation, for bases that take far longer ones."""


@dataclass(frozen=True, kw_only=True)
class Needs:
    """Bytes: of an adapter's file, on a GPU in 4-bit training, and on a GPU in bf16 serving with SLOTS adapters.

    `training_instance` and `serving_instance` are the smallest of SageMaker's instances with one GPU that suffice; None
    if none does.
    """

    adapter: int
    training: int
    serving: int
    training_instance: str | None
    serving_instance: str | None


def needs_of(base_model: BaseModel) -> Needs | None:
    """What it needs; None if its shape cannot be read here."""
    shape = read_shape(base_model)
    if shape is None:
        return None
    context = max(1, base_model.context_length)
    training = training_memory(shape, USUAL, row_tokens=min(USUAL.max_length, context))
    return Needs(
        adapter=adapter_bytes(shape, USUAL),
        training=training.total,
        serving=_serving_bytes(shape, min(LONGEST, context)),
        training_instance=next((name for name in ONE_GPU if training.fits(gpu_bytes(name) or 0)), None),
        serving_instance=next((name for name in ONE_GPU if _serves(shape, min(LONGEST, context), name)), None),
    )


def trains_on(base_model: BaseModel, instance_type: str) -> bool | None:
    """Whether one GPU of it suffices for the usual training, as in `needs_of`; None if that can't be told."""
    shape, size = read_shape(base_model), gpu_bytes(instance_type)
    if shape is None or size is None:
        return None
    row_tokens = min(USUAL.max_length, max(1, base_model.context_length))
    return training_memory(shape, USUAL, row_tokens=row_tokens).fits(size)


def serves_on(base_model: BaseModel, instance_type: str) -> bool | None:
    """The same for serving."""
    shape = read_shape(base_model)
    if shape is None or gpu_bytes(instance_type) is None:
        return None
    return _serves(shape, min(LONGEST, max(1, base_model.context_length)), instance_type)


def _setup(context: int, device_bytes: int | None) -> Setup:
    return Setup(
        engine="vllm",
        precision="bf16",
        device_bytes=device_bytes,
        slots=SLOTS,
        host_adapters=SLOTS,
        max_rank=USUAL.rank,
        context=context,
        width=SEQUENCES,
    )


def _serving_bytes(shape: Shape, context: int) -> int:
    plan = plan_of(shape, _setup(context, None))
    return plan.fixed + plan.cache


def _serves(shape: Shape, context: int, instance_type: str) -> bool:
    plan = plan_of(shape, _setup(context, usable_gpu_bytes(instance_type)))
    return plan.sequences(context) >= SEQUENCES
