"""The machine that trainings run on."""

from dataclasses import dataclass

from django.conf import settings

from adapters.models import BaseModel
from jobs.backends import compute
from jobs.kinds import get_kind
from lorakit.capacity.machines import gpu_bytes


@dataclass(frozen=True, kw_only=True)
class Machine:
    """`gpu_bytes` is None without a GPU, or if its memory is unknown."""

    title: str
    gpu_bytes: int | None
    is_cpu: bool = False


def training_machine(base_model: BaseModel) -> Machine:
    """The machine that the backend of trainings uses for a base model."""
    alias = get_kind("training").backend({})
    options = {**compute[alias].options, **settings.COMPUTE[alias].get("OPTIONS", {})}
    instance_type = options.get("INSTANCE_TYPE")
    if not instance_type:
        return Machine(title="this machine’s CPU", gpu_bytes=None, is_cpu=True)
    instance_type = base_model.training_instance or instance_type
    return Machine(title=instance_type, gpu_bytes=gpu_bytes(instance_type))
