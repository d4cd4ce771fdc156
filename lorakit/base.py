"""Loads a base model from a local directory, for training (optionally in 4 bits) or for inference."""

import os
from pathlib import Path
from typing import Literal

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

import torch
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    AutoTokenizer,
    BitsAndBytesConfig,
    PreTrainedConfig,
    PreTrainedModel,
    PreTrainedTokenizerFast,
)
from transformers.utils import logging as transformers_logging

from lorakit.errors import RunError
from lorakit.linear import narrow, pack
from lorakit.precision import compute_dtype

transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]


def check_base(directory: str) -> Path:
    """The directory of a base model. Raises `RunError` if there is no base model."""
    path = Path(directory)
    if not (path / "config.json").is_file():
        raise RunError("base:missing", f"There is no base model in {directory}. Check the base model's path.")
    return path


def load_tokenizer(directory: Path) -> PreTrainedTokenizerFast:
    """The base's tokenizer; if it has no padding token, it pads with its end token."""
    tokenizer: PreTrainedTokenizerFast = AutoTokenizer.from_pretrained(directory)  # type: ignore[assignment]
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    tokenizer.padding_side = "left"
    return tokenizer


def load_for_inference(directory: Path) -> PreTrainedModel:
    """The base for inference: fp32 on a CPU, where 4-bit weights are ten times slower, and bf16 on a GPU."""
    cuda = torch.cuda.is_available()
    model: PreTrainedModel = AutoModelForCausalLM.from_pretrained(
        directory,
        dtype=torch.bfloat16 if cuda else torch.float32,
        device_map={"": 0 if cuda else "cpu"},
    )
    model.eval()  # type: ignore[no-untyped-call]
    return model


def load_for_serving(directory: Path) -> PreTrainedModel:
    """The base for steps of a few rows at a time: on a CPU with packed weights, in `lorakit.precision`'s format."""
    model = load_for_inference(directory)
    if model.device.type == "cpu" and torch.backends.mkldnn.is_available():  # type: ignore[no-untyped-call]
        pack(model, compute_dtype(hidden_size(model.config)))
    return model


def load_for_training(directory: Path, quantization: Literal["nf4", "none"]) -> PreTrainedModel:
    """The base for LoRA training, in 4-bit NF4 or unquantised, on this process's device.

    On a CPU, what lies between matrix products is computed in fp32; these in `lorakit.precision`'s format.
    """
    cuda = torch.cuda.is_available()
    compute = compute_dtype(hidden_size(AutoConfig.from_pretrained(directory)))
    device = int(os.environ.get("LOCAL_RANK", "0")) if cuda else "cpu"
    four_bit = BitsAndBytesConfig(  # type: ignore[no-untyped-call]
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=compute,
    )
    model: PreTrainedModel = AutoModelForCausalLM.from_pretrained(
        directory,
        quantization_config=four_bit if quantization == "nf4" else None,
        dtype=compute if cuda else torch.float32,
        device_map={"": device},
    )
    if not cuda and compute is torch.bfloat16:
        narrow(model)
    keep_trainable(model)
    return model


def hidden_size(config: PreTrainedConfig) -> int:
    """The width of what goes through the layers."""
    return int(config.get_text_config().hidden_size)


def keep_trainable(model: PreTrainedModel) -> None:
    """Keep 4-bit layers from repacking their weights during an evaluation.

    On CPUs with AVX512-BF16, bitsandbytes (0.50) packs the weights at the first forward pass in evaluation mode
    for a kernel without a backward pass. Training after that gets no gradient through these layers.
    """
    for module in model.modules():
        if hasattr(module, "support_avx512bf16_for_cpu"):
            setattr(module, "support_avx512bf16_for_cpu", False)  # noqa: B010 - not declared on Module


def end_token_ids(model: PreTrainedModel, tokenizer: PreTrainedTokenizerFast) -> frozenset[int]:
    """The ids of all tokens that end an answer, from the tokenizer and the model's generation settings."""
    configured = getattr(model.generation_config, "eos_token_id", None)
    listed = configured if isinstance(configured, list) else [configured]
    return frozenset(token for token in [*listed, tokenizer.eos_token_id] if token is not None)


def context_length(model: PreTrainedModel) -> int:
    """The maximum number of tokens of prompt and answer together."""
    return int(model.config.max_position_embeddings)


def context_in(directory: Path) -> int:
    """`context_length` of the model in a directory, without loading it."""
    return int(AutoConfig.from_pretrained(directory).max_position_embeddings)
