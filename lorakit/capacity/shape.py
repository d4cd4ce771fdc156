"""The layers of a base model, read from its `config.json`. Sizes of weights, adapters and caches follow from them.

Supports Llama-style decoders, which covers nearly all open models that people adapt.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

LIKE_LLAMA = frozenset({"llama", "mistral", "qwen2", "qwen3", "gemma", "gemma2", "granite", "olmo2", "smollm3"})

Modules = Literal["all-linear"] | Iterable[str]


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
    """`blocks` blocks of the same linear layers; `hidden` and `vocabulary` are the sides of the embedding.

    `inner` is the width between a block's gate and down projection, `context` the longest context in tokens, or 0.
    """

    blocks: int
    hidden: int
    inner: int
    heads: int
    kv_heads: int
    head_size: int
    vocabulary: int
    tied_embeddings: bool
    context: int = 0

    @cached_property
    def linears(self) -> tuple[Linear, ...]:
        """The linear layers of a block."""
        queries, keys = self.heads * self.head_size, self.kv_heads * self.head_size
        sides = (
            ("q_proj", self.hidden, queries),
            ("k_proj", self.hidden, keys),
            ("v_proj", self.hidden, keys),
            ("o_proj", queries, self.hidden),
            ("gate_proj", self.hidden, self.inner),
            ("up_proj", self.hidden, self.inner),
            ("down_proj", self.inner, self.hidden),
        )
        return tuple(Linear(name=name, inputs=inputs, outputs=outputs) for name, inputs, outputs in sides)

    def targets(self, modules: Modules) -> list[Linear]:
        """The layers of a block that an adapter changes, chosen as PEFT does: "all-linear" leaves out the head."""
        if modules == "all-linear":
            return list(self.linears)
        chosen = set(modules)
        return [linear for linear in self.linears if linear.name in chosen]

    def adapter_parameters(self, *, rank: int, modules: Modules) -> int:
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

    @property
    def parameters(self) -> int:
        """All weights, but for biases and the norms of single heads that some families have (below 0.1 %)."""
        return self.linear_parameters + self.other_parameters

    @property
    def cache_numbers(self) -> int:
        """Numbers that one token leaves in the cache: a key and a value of each key-value head in each block."""
        return 2 * self.blocks * self.kv_heads * self.head_size


def read_shape(folder: Path) -> Shape | None:
    """The shape of the base model in a folder; None if it cannot be read or its family is unknown."""
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return shape_of(config) if isinstance(config, dict) else None


def shape_of(config: dict[str, Any]) -> Shape | None:
    """The shape that a Hugging Face `config.json` describes; None for an unknown family, or figures that can't be."""
    if config.get("model_type") not in LIKE_LLAMA:
        return None
    hidden, heads = _figure(config, "hidden_size"), _figure(config, "num_attention_heads")
    inner, blocks = _figure(config, "intermediate_size"), _figure(config, "num_hidden_layers")
    vocabulary = _figure(config, "vocab_size")
    if not (hidden and heads and inner and blocks and vocabulary):
        return None
    kv_heads = _figure(config, "num_key_value_heads") or heads
    head_size = _figure(config, "head_dim") or hidden // heads
    if not head_size or heads % kv_heads:
        return None
    return Shape(
        blocks=blocks,
        hidden=hidden,
        inner=inner,
        heads=heads,
        kv_heads=kv_heads,
        head_size=head_size,
        vocabulary=vocabulary,
        tied_embeddings=bool(config.get("tie_word_embeddings", False)),
        context=_figure(config, "max_position_embeddings"),
    )


def _figure(config: dict[str, Any], name: str) -> int:
    """A positive whole number; 0 for anything else."""
    value = config.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0
