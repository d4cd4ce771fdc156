"""The layers of a base model, read from its files. Adapter size, training time and memory are computed from them.

Supports Llama-style decoders, which covers nearly all open models that people adapt.
"""

import json
import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from adapters.models import BaseModel

LIKE_LLAMA = frozenset({"llama", "mistral", "qwen2", "qwen3", "gemma", "gemma2", "granite", "olmo2", "smollm3"})


@dataclass(frozen=True, kw_only=True)
class Linear:
    """A linear layer that every block has once; `inputs` and `outputs` are its weight's sides."""

    name: str
    inputs: int
    outputs: int

    @property
    def parameters(self) -> int:
        return self.inputs * self.outputs


@dataclass(frozen=True, kw_only=True)
class Shape:
    """`blocks` blocks of the same linear layers; `hidden` and `vocabulary` are the sides of the embedding."""

    blocks: int
    hidden: int
    vocabulary: int
    tied_embeddings: bool
    linears: tuple[Linear, ...]

    def targets(self, modules: Literal["all-linear"] | Iterable[str]) -> list[Linear]:
        """The layers of a block that an adapter changes, chosen as PEFT does: "all-linear" leaves out the head."""
        if modules == "all-linear":
            return list(self.linears)
        chosen = set(modules)
        return [linear for linear in self.linears if linear.name in chosen]

    def adapter_parameters(self, *, rank: int, modules: Literal["all-linear"] | Iterable[str]) -> int:
        """Numbers in an adapter: A of rank x inputs and B of outputs x rank for each target."""
        return self.blocks * sum(rank * (linear.inputs + linear.outputs) for linear in self.targets(modules))

    @property
    def linear_parameters(self) -> int:
        """Weights that 4-bit quantisation packs: those of the linear layers, the head excepted."""
        return self.blocks * sum(linear.parameters for linear in self.linears)

    @property
    def other_parameters(self) -> int:
        """Embedding, head and norms, which stay unpacked."""
        tables = 1 if self.tied_embeddings else 2
        return tables * self.vocabulary * self.hidden + (2 * self.blocks + 1) * self.hidden


def read_shape(base_model: BaseModel) -> Shape | None:
    """The shape of a base model, or None if its folder cannot be read here or its family is unknown."""
    try:
        config = json.loads((Path(base_model.location) / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return shape_of(config)


def shape_of(config: dict[str, Any]) -> Shape | None:
    """The shape that a Hugging Face `config.json` describes; None for an unknown family."""
    if config.get("model_type") not in LIKE_LLAMA:
        return None
    hidden, inner = int(config["hidden_size"]), int(config["intermediate_size"])
    heads = int(config["num_attention_heads"])
    head = int(config.get("head_dim") or hidden // heads)
    queries = heads * head
    keys = int(config.get("num_key_value_heads") or heads) * head
    sides = (
        ("q_proj", hidden, queries),
        ("k_proj", hidden, keys),
        ("v_proj", hidden, keys),
        ("o_proj", queries, hidden),
        ("gate_proj", hidden, inner),
        ("up_proj", hidden, inner),
        ("down_proj", inner, hidden),
    )
    return Shape(
        blocks=int(config["num_hidden_layers"]),
        hidden=hidden,
        vocabulary=int(config["vocab_size"]),
        tied_embeddings=bool(config.get("tie_word_embeddings", False)),
        linears=tuple(Linear(name=name, inputs=inputs, outputs=outputs) for name, inputs, outputs in sides),
    )


def count_parameters(folder: Path) -> int:
    """Numbers in a base model's safetensors files, by their headers alone; 0 where there are none."""
    total = 0
    for path in folder.glob("*.safetensors"):
        with path.open("rb") as file:
            header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
        total += sum(math.prod(tensor["shape"]) for name, tensor in header.items() if name != "__metadata__")
    return total
