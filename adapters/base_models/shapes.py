"""The shape of a base model, from the files in its folder."""

import json
import math
from pathlib import Path

from adapters.models import BaseModel
from lorakit.capacity import shape
from lorakit.capacity.shape import Shape


def read_shape(base_model: BaseModel) -> Shape | None:
    """The shape of a base model, or None if its folder cannot be read here or its family is unknown."""
    return shape.read_shape(Path(base_model.location))


def damage_of(path: Path) -> str:
    """What is wrong with a safetensors file, by its header and its size alone; empty if nothing."""
    size = path.stat().st_size
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if length + 8 > size:
            return f"{path.name} is damaged or incomplete. Copy it again."
        try:
            header = json.loads(file.read(length))
            whole = 8 + length + max(one["data_offsets"][1] for name, one in header.items() if name != "__metadata__")
        except (ValueError, LookupError, TypeError, AttributeError):
            return f"{path.name} is damaged. Copy it again."
    return "" if whole == size else f"{path.name} has {size:,} of {whole:,} bytes. Copy it again."


def count_parameters(folder: Path) -> int:
    """Numbers in a base model's safetensors files, by their headers alone; 0 where there are none."""
    total = 0
    for path in folder.glob("*.safetensors"):
        with path.open("rb") as file:
            header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
        total += sum(math.prod(tensor["shape"]) for name, tensor in header.items() if name != "__metadata__")
    return total
