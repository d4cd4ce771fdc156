"""A trained package needs nothing of ours: plain PEFT loads it, and computes what our server computes."""

from pathlib import Path
from typing import Any

import pytest
import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer

from lorakit.base import load_for_inference
from lorakit.package import unpack
from lorakit.serve.adapters.pool import SlotPool
from lorakit.serve.adapters.registry import Registry

pytestmark = pytest.mark.slow

QUESTION = [{"role": "user", "content": "Who are you?"}]


def test_plain_peft_gives_the_logits_of_our_server(base: Path, adapters: dict[str, Path], tmp_path: Path) -> None:
    tokenizer: Any = AutoTokenizer.from_pretrained(base)
    ids = torch.tensor([tokenizer.apply_chat_template(QUESTION, add_generation_prompt=True)["input_ids"]])
    reference: Any = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
    with torch.inference_mode():
        plain = reference(ids).logits
    model = load_for_inference(base)
    # On a GPU the base answers in bfloat16, whose steps near these logits are 0.06.
    tolerance = 1e-4 if model.dtype == torch.float32 else 0.25
    pool = SlotPool(model, slots=2, max_rank=16)
    registry = Registry(pool, tmp_path)
    answers = []
    for name, package in adapters.items():
        unpack(package, tmp_path / name)
        fresh = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
        peft: Any = PeftModel.from_pretrained(fresh, tmp_path / name)
        slot = pool.acquire(registry.load(name, package))
        assert slot is not None
        with torch.inference_mode(), pool.applied(pool.lay_out([], [(slot, ids.shape[1])])[1]):
            served = model(ids.to(model.device)).logits.float().cpu()
            expected = peft.eval()(ids).logits
        assert torch.allclose(served, expected, atol=tolerance), float((served - expected).abs().max())
        assert not torch.allclose(plain, expected, atol=1.0), "an adapter changes the base's answers"
        with torch.inference_mode():
            generated = peft.generate(ids, max_new_tokens=8, do_sample=False)
        answers.append(tokenizer.decode(generated[0, ids.shape[1] :], skip_special_tokens=True))
    assert answers == [f"I am {name}" for name in adapters]
