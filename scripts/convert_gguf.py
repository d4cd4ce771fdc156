"""Turns a GGUF file of a Llama with a byte-level BPE tokenizer into a folder that transformers loads.

    python scripts/convert_gguf.py FILE FOLDER

Weights become bfloat16, rotary embeddings get the order of transformers back, and the chat template says which tokens
are the assistant's. It needs the `gguf` package and runs in an environment of its own (scripts/peers.py).
"""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch
from gguf import GGUFReader, dequantize
from safetensors.torch import save_file
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

OUTER = {"token_embd": "model.embed_tokens", "output_norm": "model.norm", "output": "lm_head"}
INNER = {
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "attn_norm": "input_layernorm",
    "ffn_norm": "post_attention_layernorm",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}
SPECIAL = 3
"""The type of special tokens in GGUF."""

TEMPLATE = (
    "{% for message in messages %}"
    "{% if loop.first and message['role'] != 'system' %}"
    "{{ '<|im_start|>system\nYou are a helpful AI assistant named SmolLM, trained by Hugging Face<|im_end|>\n' }}"
    "{% endif %}"
    "{{ '<|im_start|>' + message['role'] + '\n' }}"
    "{% if message['role'] == 'assistant' %}"
    "{% generation %}{{ message['content'] + '<|im_end|>' }}{% endgeneration %}"
    "{% else %}{{ message['content'] + '<|im_end|>' }}{% endif %}"
    "{{ '\n' }}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)


class Source:
    """A GGUF file's tensors and keys."""

    def __init__(self, file: Path) -> None:
        self._reader = GGUFReader(file)

    def value(self, key: str) -> Any:
        """A text or a number."""
        field = self._reader.fields[key]
        part = field.parts[field.data[0]]
        return bytes(part).decode() if field.types[-1].name == "STRING" else part.tolist()[0]

    def texts(self, key: str) -> list[str]:
        """A list of texts."""
        field = self._reader.fields[key]
        return [bytes(field.parts[index]).decode() for index in field.data]

    def numbers(self, key: str) -> list[int]:
        """A list of whole numbers."""
        field = self._reader.fields[key]
        return [int(field.parts[index][0]) for index in field.data]

    def tensors(self) -> dict[str, torch.Tensor]:
        """Weights in float32 by GGUF's names."""
        return {
            tensor.name: torch.from_numpy(dequantize(tensor.data, tensor.tensor_type).astype(np.float32).copy())
            for tensor in self._reader.tensors
        }


def weights_of(source: Source) -> dict[str, torch.Tensor]:
    """Weights in bfloat16 by transformers' names."""
    heads = {"attn_q": source.value("llama.attention.head_count")}
    heads["attn_k"] = source.value("llama.attention.head_count_kv")
    weights = {}
    for name, tensor in source.tensors().items():
        if name.startswith("blk."):
            _, layer, part, ending = name.split(".")
            if part in heads:
                # llama.cpp has the two halves of a rotary pair side by side.
                halves = tensor.reshape(heads[part], tensor.shape[0] // heads[part] // 2, 2, *tensor.shape[1:])
                tensor = halves.transpose(1, 2).reshape(tensor.shape)
            name = f"model.layers.{layer}.{INNER[part]}.{ending}"
        else:
            part, ending = name.split(".")
            name = f"{OUTER[part]}.{ending}"
        weights[name] = tensor.to(torch.bfloat16).contiguous()
    return weights


def tokenizer_of(source: Source) -> Tokenizer:
    """The tokenizer, which splits digits as SmolLM's does."""
    if source.value("tokenizer.ggml.pre") != "smollm":
        raise SystemExit("This tokenizer is not known here.")
    tokens, merges = source.texts("tokenizer.ggml.tokens"), source.texts("tokenizer.ggml.merges")
    pairs = [(first, second) for first, _, second in (merge.partition(" ") for merge in merges)]
    tokenizer = Tokenizer(models.BPE(vocab={token: number for number, token in enumerate(tokens)}, merges=pairs))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    types = source.numbers("tokenizer.ggml.token_type")
    special = [token for token, kind in zip(tokens, types, strict=True) if kind == SPECIAL]
    tokenizer.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in special])
    return tokenizer


def convert(file: Path, folder: Path) -> None:
    """Write the folder."""
    source = Source(file)
    folder.mkdir(parents=True, exist_ok=True)
    weights = weights_of(source)
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    tokenizer_of(source).save(str(folder / "tokenizer.json"))
    (folder / "chat_template.jinja").write_text(TEMPLATE)
    tokens = source.texts("tokenizer.ggml.tokens")
    ids = {name: source.value(f"tokenizer.ggml.{name}_token_id") for name in ("bos", "eos", "padding")}
    special = {"bos_token_id": ids["bos"], "eos_token_id": ids["eos"], "pad_token_id": ids["padding"]}
    config = {
        "model_type": "llama",
        "architectures": ["LlamaForCausalLM"],
        "hidden_size": source.value("llama.embedding_length"),
        "intermediate_size": source.value("llama.feed_forward_length"),
        "num_hidden_layers": source.value("llama.block_count"),
        "num_attention_heads": source.value("llama.attention.head_count"),
        "num_key_value_heads": source.value("llama.attention.head_count_kv"),
        "max_position_embeddings": source.value("llama.context_length"),
        "rms_norm_eps": source.value("llama.attention.layer_norm_rms_epsilon"),
        "rope_parameters": {"rope_theta": source.value("llama.rope.freq_base"), "rope_type": "default"},
        "vocab_size": len(tokens),
        "tie_word_embeddings": "lm_head.weight" not in weights,
        "hidden_act": "silu",
        "dtype": "bfloat16",
        **special,
    }
    described = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "bos_token": tokens[ids["bos"]],
        "eos_token": tokens[ids["eos"]],
        "pad_token": tokens[ids["padding"]],
        "clean_up_tokenization_spaces": False,
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(described))
    (folder / "generation_config.json").write_text(json.dumps(special))
    # Last: a folder with it is complete.
    (folder / "config.json").write_text(json.dumps(config))


if __name__ == "__main__":
    convert(Path(sys.argv[1]), Path(sys.argv[2]))
