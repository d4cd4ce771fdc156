"""Adapter sizes are PEFT's own; GPU memory follows the parts of a QLoRA training."""

import json
from dataclasses import replace
from typing import Any

import pytest
from django.conf import settings
from peft import LoraConfig, get_peft_model
from transformers import AutoConfig, AutoModelForCausalLM

from adapters.base_models.shapes import count_parameters, read_shape
from adapters.estimates.memory import adapter_bytes, training_memory
from adapters.models import BaseModel
from adapters.recipes.catalogue import RECIPES
from adapters.recipes.hyperparameters import ATTENTION, VALUE_AND_OUTPUT, Modules
from lorakit.capacity.machines import GIB, gpu_bytes
from lorakit.capacity.shape import Shape, shape_of

LLAMA_8B: dict[str, Any] = {
    "model_type": "llama",
    "hidden_size": 4096,
    "intermediate_size": 14336,
    "num_attention_heads": 32,
    "num_key_value_heads": 8,
    "num_hidden_layers": 32,
    "vocab_size": 128256,
    "tie_word_embeddings": False,
}
NUMBERS = RECIPES["knowledge"].for_base(BaseModel(name="big", context_length=8192)).hyperparameters


def shape(config: dict[str, Any]) -> Shape:
    found = shape_of(config)
    assert found is not None
    return found


@pytest.mark.parametrize("modules", ["all-linear", ATTENTION, VALUE_AND_OUTPUT], ids=["all", "attention", "value"])
def test_an_adapter_is_as_large_as_peft_makes_it(modules: Modules) -> None:
    config = AutoConfig.from_pretrained(settings.BASE_MODEL_DIR, num_key_value_heads=2)
    model = AutoModelForCausalLM.from_config(config)  # type: ignore[no-untyped-call]
    targets = modules if isinstance(modules, str) else list(modules)
    trained = get_peft_model(model, LoraConfig(r=4, target_modules=targets, task_type="CAUSAL_LM"))
    expected, _ = trained.get_nb_trainable_parameters()
    ours = shape(config.to_dict())
    assert ours.adapter_parameters(rank=4, modules=modules) == expected
    assert adapter_bytes(ours, replace(NUMBERS, rank=4, target_modules=modules)) == expected * 4


def test_the_parameters_of_the_base_are_counted() -> None:
    model = AutoModelForCausalLM.from_pretrained(settings.BASE_MODEL_DIR)
    tiny = read_shape(BaseModel(location=str(settings.BASE_MODEL_DIR)))
    assert tiny is not None
    assert tiny.linear_parameters + tiny.other_parameters == model.num_parameters()
    assert count_parameters(settings.BASE_MODEL_DIR) == model.num_parameters()
    eight = shape(LLAMA_8B)
    assert eight.linear_parameters + eight.other_parameters == 8_030_261_248


def test_an_8b_training_fits_a_large_gpu_and_not_a_small_one() -> None:
    memory = training_memory(shape(LLAMA_8B), NUMBERS, row_tokens=2048)
    assert memory.total == sum(size for _, size in memory.parts)
    # 6.98 G weights at 4.127 bits, and 1.05 G of embedding, head and norms in 32 bits.
    assert memory.base == pytest.approx(3.60e9 + 4.20e9, rel=0.001)
    assert memory.fits(48 * GIB)
    assert not memory.fits(24 * GIB)
    assert training_memory(shape(LLAMA_8B), replace(NUMBERS, batch_size=1), row_tokens=1024).fits(24 * GIB)


LLAMA_1B = LLAMA_8B | {
    "hidden_size": 2048,
    "intermediate_size": 8192,
    "num_hidden_layers": 16,
    "tie_word_embeddings": True,
}
# GiB that PyTorch allocated on an H200, by `python -m bench.gpu_memory`; without the CUDA context.
ALLOCATED = [
    (LLAMA_1B, 1, 1024, 3.64),
    (LLAMA_1B, 4, 1024, 9.39),
    (LLAMA_1B, 4, 2048, 16.77),
    (LLAMA_8B, 1, 1024, 10.48),
    (LLAMA_8B, 4, 1024, 18.36),
    (LLAMA_8B, 4, 2048, 28.25),
]


@pytest.mark.parametrize(("config", "batch", "tokens", "gib"), ALLOCATED)
def test_the_estimate_is_near_what_a_gpu_took(config: dict[str, Any], batch: int, tokens: int, gib: float) -> None:
    numbers = replace(NUMBERS, rank=16, batch_size=batch, target_modules="all-linear")
    memory = training_memory(shape(config), numbers, row_tokens=tokens)
    assert (memory.total - memory.cuda) / GIB == pytest.approx(gib, rel=0.07)


def test_a_longer_batch_takes_memory_for_activations_alone() -> None:
    short, long = (training_memory(shape(LLAMA_8B), NUMBERS, row_tokens=size) for size in (1024, 4096))
    assert long.activations > 3 * short.activations
    assert replace(long, activations=0) == replace(short, activations=0)


def test_unknown_families_and_machines_are_not_guessed(tmp_path: Any) -> None:
    assert shape_of({"model_type": "mamba"}) is None
    assert read_shape(BaseModel(location=str(tmp_path))) is None
    (tmp_path / "config.json").write_text("{")
    assert read_shape(BaseModel(location=str(tmp_path))) is None
    (tmp_path / "config.json").write_text(json.dumps(LLAMA_8B))
    assert read_shape(BaseModel(location=str(tmp_path))) == shape(LLAMA_8B)
    assert gpu_bytes("ml.g6e.xlarge") == 48 * GIB
    assert gpu_bytes("ml.c7i.large") is None
