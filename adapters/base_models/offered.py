"""What organisations see of the base models they can train on."""

from dataclasses import dataclass

from django.db.models import Count

from adapters.base_models.chat_templates import read_by_template
from adapters.base_models.shapes import read_shape
from adapters.models import Adapter, BaseModel

RANK = 16
"""Whose adapter's size is told."""

FLOAT_BYTES = 4


@dataclass(frozen=True, kw_only=True)
class Offered:
    """A base model. `adapter_bytes` is the size of an adapter of RANK on all linear layers.

    What cannot be told here is None: of families whose shape is not known, and of files on another machine.
    `adapters` counts those of the active tenant.
    """

    base_model: BaseModel
    adapters: int
    adapter_bytes: int | None
    reads_tools: bool | None


def offered() -> list[Offered]:
    """All of them by title."""
    counted = Adapter.objects.order_by().values("base_model").annotate(count=Count("id"))
    adapters = dict(counted.values_list("base_model", "count"))
    found = []
    for base_model in BaseModel.objects.order_by("title"):
        shape, read = read_shape(base_model), read_by_template(base_model)
        size = shape.adapter_parameters(rank=RANK, modules="all-linear") * FLOAT_BYTES if shape else None
        found.append(
            Offered(
                base_model=base_model,
                adapters=adapters.get(base_model.id, 0),
                adapter_bytes=size,
                reads_tools=None if read is None else "tools" in read,
            )
        )
    return found
