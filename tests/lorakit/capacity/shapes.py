"""Shapes of known bases, from their `config.json`, and a setup of vLLM to vary."""

from typing import Any

from lorakit.capacity.machines import GIB
from lorakit.capacity.setup import Setup
from lorakit.capacity.shape import Shape, shape_of

LLAMA_2_7B: dict[str, Any] = {
    "model_type": "llama",
    "hidden_size": 4096,
    "intermediate_size": 11008,
    "num_attention_heads": 32,
    "num_key_value_heads": 32,
    "num_hidden_layers": 32,
    "vocab_size": 32000,
    "tie_word_embeddings": False,
}
LLAMA_2_13B = LLAMA_2_7B | {
    "hidden_size": 5120,
    "intermediate_size": 13824,
    "num_attention_heads": 40,
    "num_key_value_heads": 40,
    "num_hidden_layers": 40,
}
LLAMA_3_8B = LLAMA_2_7B | {"intermediate_size": 14336, "num_key_value_heads": 8, "vocab_size": 128256}


def shape(config: dict[str, Any]) -> Shape:
    found = shape_of(config)
    assert found is not None
    return found


def vllm(**changes: Any) -> Setup:
    usual: dict[str, Any] = {
        "engine": "vllm",
        "precision": "bf16",
        "device_bytes": 24 * GIB,
        "slots": 16,
        "host_adapters": 16,
        "max_rank": 16,
        "context": 4096,
        "width": 256,
    }
    return Setup(**usual | changes)
