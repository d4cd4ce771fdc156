"""Slots answer exactly as PEFT does, fill on demand, and are left alone while in use."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors.torch import load_file, save_file
from transformers import PreTrainedModel

from lorakit.base import end_token_ids, load_for_inference, load_for_serving, load_tokenizer
from lorakit.errors import PackageError
from lorakit.package import CONFIG, PACKAGE, WEIGHTS, check_directory, pack, unpack
from lorakit.serve.adapters.pool import SlotPool, StoredAdapter
from lorakit.serve.steps.decode import DecodeBatch, decode_all
from lorakit.serve.steps.sequences import Sequence

MakeAdapter = Callable[..., StoredAdapter]


@pytest.fixture(scope="module")
def model(base: Path) -> PreTrainedModel:
    return load_for_serving(base)


@pytest.fixture
def pool(model: PreTrainedModel) -> Iterator[SlotPool]:
    """Two slots on the model; its hooks are taken off afterwards."""
    pool = SlotPool(model, slots=2, max_rank=16)
    yield pool
    for module in model.modules():
        module._forward_hooks.clear()


@pytest.fixture
def make_adapter(tmp_path: Path, base: Path) -> MakeAdapter:
    """Makes a packed and unpacked adapter with random weights: make_adapter(name, rank, stabilised)."""

    def make(name: str, rank: int = 4, stabilised: bool = False) -> StoredAdapter:
        torch.manual_seed(sum(name.encode()))
        config = LoraConfig(
            r=rank, lora_alpha=8, target_modules="all-linear", task_type="CAUSAL_LM", use_rslora=stabilised
        )
        adapted = get_peft_model(load_for_inference(base), config)
        for parameter_name, parameter in adapted.named_parameters():
            if "lora_B" in parameter_name:
                torch.nn.init.normal_(parameter, std=0.05)
        adapted.save_pretrained(str(tmp_path / name / "peft"))
        sha256 = pack(tmp_path / name / "peft", tmp_path / name / PACKAGE, "tiny-llama")
        directory = tmp_path / name / "adapter"
        unpack(tmp_path / name / PACKAGE, directory)
        found, modules, _ = check_directory(directory)
        return StoredAdapter(sha256, directory, found, modules)

    return make


TEXT = "Please refund ${0}1 for order BX-77{0}, I cancelled it last week."
PROMPTS = [
    f"<|user|>Repeat the text.\n{TEXT.format(number)}{' No rush.' * number}<|end|><|assistant|>" for number in range(6)
]


def test_a_mixed_batch_equals_peft_token_by_token(
    base: Path, model: PreTrainedModel, pool: SlotPool, make_adapter: MakeAdapter
) -> None:
    tokenizer = load_tokenizer(base)
    adapters = [None, make_adapter("one"), make_adapter("two", rank=16, stabilised=True)]
    slots = [pool.acquire(adapter) or 0 for adapter in adapters]
    prompts = [tokenizer(prompt, add_special_tokens=False)["input_ids"] for prompt in PROMPTS]
    rows = [Sequence(prompt, slots[index % 3], 24) for index, prompt in enumerate(prompts)]
    ends = end_token_ids(model, tokenizer)
    decode_all(DecodeBatch(model, pool, end_ids=ends), rows, width=4)

    answers: dict[int, list[int]] = {}
    for kind, adapter in enumerate(adapters):
        reference: Any = load_for_inference(base)
        if adapter is not None:
            reference = PeftModel.from_pretrained(reference, str(adapter.directory))
        for index in range(kind, len(prompts), 3):
            ids = torch.tensor([prompts[index]])
            with torch.inference_mode():
                generated = reference.generate(input_ids=ids, max_new_tokens=24, do_sample=False)
            answers[index] = generated[0, ids.shape[1] :].tolist()
    assert [row.tokens for row in rows] == [answers[index] for index in range(len(prompts))]
    assert len({tuple(answer) for answer in answers.values()}) >= 5


def test_the_least_recently_used_adapter_makes_room(pool: SlotPool, make_adapter: MakeAdapter) -> None:
    one, two, three = make_adapter("one"), make_adapter("two"), make_adapter("three")
    for adapter in (one, two, one, three):
        slot = pool.acquire(adapter)
        assert slot is not None
        pool.release(slot)
    assert pool.resident() == [one.sha256, three.sha256]
    assert pool.loads == 3


def test_a_slot_in_use_is_not_taken(pool: SlotPool, make_adapter: MakeAdapter) -> None:
    one, two, three = make_adapter("one"), make_adapter("two"), make_adapter("three")
    first, second = pool.acquire(one), pool.acquire(two)
    assert pool.acquire(three) is None
    assert first is not None
    pool.release(first)
    assert pool.acquire(three) == first
    assert pool.resident() == [two.sha256, three.sha256]
    assert second is not None


def test_what_does_not_fit_is_refused(pool: SlotPool, make_adapter: MakeAdapter, tmp_path: Path) -> None:
    pool.check(make_adapter("one"))
    with pytest.raises(PackageError) as caught:
        pool.check(make_adapter("high", rank=32))
    assert caught.value.code == "package:rank_above_limit"

    fitting = make_adapter("two")
    other = tmp_path / "other"
    other.mkdir()
    weights = load_file(fitting.directory / WEIGHTS)
    name = next(name for name in weights if "lora_A" in name)
    weights[name] = torch.zeros(4, 7)
    save_file(weights, other / WEIGHTS)
    (other / CONFIG).write_text(json.dumps(json.loads((fitting.directory / CONFIG).read_text())))
    config, modules, _ = check_directory(other)
    with pytest.raises(PackageError) as caught:
        pool.check(StoredAdapter("0" * 64, other, config, modules))
    assert caught.value.code == "package:wrong_base"
