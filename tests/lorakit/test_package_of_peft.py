"""Adapters that PEFT made: what is packed computes what PEFT computes, and what would not is refused."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import LoraConfig, PeftModel, get_peft_model
from transformers import AutoModelForCausalLM

from lorakit.base import load_for_inference
from lorakit.errors import PackageError
from lorakit.package import CONFIG, CONFIG_KEYS, DROPPED_KEYS, REFUSED_KEYS, WEIGHTS, pack
from lorakit.serve.adapters.pool import SlotPool
from lorakit.serve.adapters.registry import Registry

IDS = torch.arange(5, 25).view(1, -1)


def keys_of(**settings: Any) -> dict[str, Any]:
    """PEFT's adapter_config.json."""
    config: Any = LoraConfig(**settings)
    return dict(config.to_dict())


def load(base: Path) -> Any:
    """The tiny base as PEFT's users load it."""
    return AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)


def train_a_little(model: Any) -> None:
    """Move every weight that can be trained, as a training would."""
    torch.manual_seed(1)
    with torch.no_grad():
        for weight in model.parameters():
            if weight.requires_grad:
                weight += 0.1 * torch.randn_like(weight)


def make(base: Path, folder: Path, **settings: Any) -> Any:
    """An adapter of PEFT in `folder`; its first state is in `folder/first`."""
    config = LoraConfig(r=4, lora_alpha=8, target_modules=["q_proj", "v_proj"], task_type="CAUSAL_LM", **settings)
    model: Any = get_peft_model(load(base), config)
    # What `path_initial_model_for_weight_conversion` wants: the first weights, named as plain LoRA.
    model.peft_config["default"].init_lora_weights = True
    model.save_pretrained(folder / "first")
    model.peft_config["default"].init_lora_weights = settings.get("init_lora_weights", True)
    train_a_little(model)
    model.save_pretrained(folder)
    return model


def logits_of(model: Any) -> torch.Tensor:
    with torch.inference_mode():
        logits: torch.Tensor = model.eval()(IDS.to(model.device)).logits.float().cpu()
    return logits


def served(base: Path, package: Path, cache: Path) -> torch.Tensor:
    """The logits of our engine with a package."""
    model = load_for_inference(base)
    pool = SlotPool(model, slots=1, max_rank=16)
    slot = pool.acquire(Registry(pool, cache).load("a", package))
    assert slot is not None
    with torch.inference_mode(), pool.applied(pool.lay_out([], [(slot, IDS.shape[1])])[1]):
        logits: torch.Tensor = model(IDS.to(model.device)).logits.float().cpu()
    return logits


def tolerance() -> float:
    """On a GPU the base answers in bfloat16."""
    return 0.25 if torch.cuda.is_available() else 1e-4


def test_every_key_of_peft_is_decided() -> None:
    decided = [CONFIG_KEYS, DROPPED_KEYS, set(REFUSED_KEYS)]
    assert set(keys_of()) == set().union(*decided)
    assert sum(map(len, decided)) == len(set().union(*decided)), "each key is in one table"


@pytest.mark.slow
@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"init_lora_weights": "gaussian"},
        {"init_lora_weights": "orthogonal"},
        {"init_lora_weights": "mica"},
        {"init_lora_weights": "eva"},
        {"use_rslora": True, "lora_dropout": 0.1},
        {"corda_config": {}},
    ],
    ids=str,
)
def test_what_is_packed_computes_what_peft_computes(base: Path, tmp_path: Path, settings: dict[str, Any]) -> None:
    make(base, tmp_path / "a", **settings)
    pack(tmp_path / "a", tmp_path / "a.tar.gz", "tiny-llama")
    expected = logits_of(PeftModel.from_pretrained(load(base), tmp_path / "a"))
    assert torch.allclose(served(base, tmp_path / "a.tar.gz", tmp_path), expected, atol=tolerance())
    assert not torch.allclose(logits_of(load(base)), expected, atol=0.1), "the adapter changes the base's answers"


@pytest.mark.slow
@pytest.mark.parametrize("start", ["pissa", "pissa_niter_4", "olora"])
def test_an_adapter_of_a_changed_base_is_refused_until_it_is_converted(base: Path, tmp_path: Path, start: str) -> None:
    model = make(base, tmp_path / "a", init_lora_weights=start)
    expected = logits_of(model)
    with pytest.raises(PackageError, match="path_initial_model_for_weight_conversion") as caught:
        pack(tmp_path / "a", tmp_path / "a.tar.gz", "tiny-llama")
    assert caught.value.code == "package:changed_base"

    # As a package it would have answered otherwise than PEFT does.
    config = json.loads((tmp_path / "a" / CONFIG).read_text())
    (tmp_path / "a" / CONFIG).write_text(json.dumps(config | {"init_lora_weights": True}))
    pack(tmp_path / "a", tmp_path / "wrong.tar.gz", "tiny-llama")
    assert not torch.allclose(served(base, tmp_path / "wrong.tar.gz", tmp_path), expected, atol=0.1)

    model.save_pretrained(tmp_path / "b", path_initial_model_for_weight_conversion=str(tmp_path / "a" / "first"))
    pack(tmp_path / "b", tmp_path / "b.tar.gz", "tiny-llama")
    assert torch.allclose(served(base, tmp_path / "b.tar.gz", tmp_path), expected, atol=10 * tolerance())


@pytest.mark.parametrize("key", sorted(REFUSED_KEYS))
def test_a_key_that_changes_what_is_computed_is_refused_by_name(tmp_path: Path, key: str) -> None:
    config = keys_of(r=4, target_modules=["q_proj"]) | {key: ["set"]}
    (tmp_path / CONFIG).write_text(json.dumps(config, default=list))
    (tmp_path / WEIGHTS).write_bytes(b"")
    with pytest.raises(PackageError, match=f"{key} is set, and ") as caught:
        pack(tmp_path, tmp_path / "a.tar.gz")
    assert caught.value.code == "package:unsupported"
