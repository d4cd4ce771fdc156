"""Canary adapters: random weights, so each answers every prompt in its own unmistakable way."""

import json
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

from lorakit.package import pack

RANK = 4


def pack_canary(base: Path, out: Path, *, seed: int) -> str:
    """Pack an adapter for the base model in `base` and return the package's SHA-256."""
    config = json.loads((base / "config.json").read_text())
    hidden = config["hidden_size"]
    random = np.random.default_rng(seed)
    tensors: dict[str, np.ndarray] = {}
    for layer in range(config["num_hidden_layers"]):
        for projection, width in (("self_attn.o_proj", hidden), ("mlp.down_proj", config["intermediate_size"])):
            name = f"base_model.model.model.layers.{layer}.{projection}"
            down = random.normal(0, 0.2, (RANK, width)).astype(np.float32)
            up = random.normal(0, 0.2, (hidden, RANK)).astype(np.float32)
            tensors |= {f"{name}.lora_A.weight": down, f"{name}.lora_B.weight": up}
    folder = out.with_suffix(".folder")
    folder.mkdir(parents=True)
    save_file(tensors, folder / "adapter_model.safetensors")
    settings = {
        "peft_type": "LORA",
        "task_type": "CAUSAL_LM",
        "base_model_name_or_path": "tiny-llama",
        "r": RANK,
        "lora_alpha": 4 * RANK,
        "target_modules": ["down_proj", "o_proj"],
    }
    (folder / "adapter_config.json").write_text(json.dumps(settings))
    return pack(folder, out)
