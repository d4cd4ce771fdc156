"""Linear layers with packed weights or in bf16 beside plain ones, and where bf16 is chosen."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from transformers import LlamaConfig, LlamaForCausalLM

from lorakit import precision
from lorakit.base import load_for_inference, load_for_serving, load_for_training
from lorakit.linear import NarrowLinear, PackedLinear, narrow, pack
from lorakit.precision import NARROWEST, compute_dtype
from lorakit.train.training import add_lora

ERRORS = {torch.float32: 1e-5, torch.bfloat16: 2e-2}
"""Largest differences from fp32: bf16 has 8 significant bits."""

has_kernels = pytest.mark.skipif(not precision.has_bf16_instructions(), reason="oneDNN has no bf16 on this processor")


@pytest.fixture(autouse=True)
def measured_once() -> Iterator[None]:
    measured = precision.prefers_bf16
    yield
    measured.cache_clear()


@pytest.mark.parametrize(
    "dtype", [pytest.param(torch.float32, id="fp32"), pytest.param(torch.bfloat16, id="bf16", marks=has_kernels)]
)
@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("rows", [1, 3, 16, 200])
def test_a_packed_layer_says_what_a_plain_one_says(dtype: torch.dtype, bias: bool, rows: int) -> None:
    torch.manual_seed(rows)
    plain, x = nn.Linear(96, 80, bias=bias), torch.randn(1, rows, 96)
    with torch.inference_mode():
        found = PackedLinear(plain, dtype)(x)
        torch.testing.assert_close(found, plain(x), rtol=0, atol=ERRORS[dtype])
    assert found.dtype is torch.float32


def test_gradients_flow_through_a_layer_in_bf16_and_not_into_it() -> None:
    torch.manual_seed(1)
    plain = nn.Linear(96, 80)
    other = NarrowLinear(plain)
    x = torch.randn(2, 7, 96, requires_grad=True)
    same = x.detach().clone().requires_grad_()
    plain(x).square().sum().backward()
    other(same).square().sum().backward()
    assert x.grad is not None
    torch.testing.assert_close(same.grad, x.grad, rtol=0.05, atol=0.05)
    assert "weight" not in dict(other.named_parameters())


def test_a_whole_model_is_packed_with_its_head(base: Path) -> None:
    plain, served = load_for_inference(base), load_for_serving(base)
    ids = torch.arange(40).reshape(1, 40)
    with torch.inference_mode():
        torch.testing.assert_close(served(input_ids=ids).logits, plain(input_ids=ids).logits, rtol=0, atol=1e-3)
    linear = [module for module in served.modules() if isinstance(module, nn.Linear)]
    assert len(linear) == sum(isinstance(module, nn.Linear) for module in plain.modules())
    assert all(isinstance(module, PackedLinear) for module in linear)
    assert served.dtype is torch.float32
    assert all(module.weight.dtype is torch.float32 for module in linear), "a small base stays in fp32"


def test_bf16_is_for_wide_bases_on_processors_that_are_faster_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    seconds = {torch.float32: 2.0, torch.bfloat16: 1.0}
    supported = True
    monkeypatch.setattr(precision, "seconds_of_a_product", lambda dtype: seconds[dtype])
    monkeypatch.setattr(precision, "has_bf16_instructions", lambda: supported)
    assert (compute_dtype(NARROWEST), compute_dtype(NARROWEST - 1)) == (torch.bfloat16, torch.float32)
    precision.prefers_bf16.cache_clear()
    seconds[torch.bfloat16] = 1.9
    assert compute_dtype(NARROWEST) is torch.float32
    precision.prefers_bf16.cache_clear()
    seconds[torch.bfloat16], supported = 1.0, False
    assert compute_dtype(NARROWEST) is torch.float32


def test_this_processor_is_measured() -> None:
    assert 0 < precision.seconds_of_a_product(torch.float32) < 10
    assert precision.prefers_bf16() in {True, False}


@pytest.fixture(scope="module")
def wide(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random base that is wide enough for bf16."""
    torch.manual_seed(3)
    folder = tmp_path_factory.mktemp("wide")
    config = LlamaConfig(
        hidden_size=NARROWEST,
        intermediate_size=1024,
        num_hidden_layers=2,
        num_attention_heads=8,
        num_key_value_heads=4,
        vocab_size=400,
        tie_word_embeddings=True,
    )
    LlamaForCausalLM(config).save_pretrained(folder)
    return folder


@pytest.fixture
def in_bf16(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(precision, "prefers_bf16", lambda: True)


@pytest.mark.slow
@pytest.mark.parametrize("quantization", ["nf4", "none"])
def test_training_in_bf16_learns_as_in_fp32(
    wide: Path, base: Path, tmp_path: Path, train_run: Any, monkeypatch: pytest.MonkeyPatch, quantization: Any
) -> None:
    spec = train_run(tmp_path, [{"messages": []}]).spec
    ids = torch.randint(0, 400, (4, 24), generator=torch.Generator().manual_seed(4))

    def losses(prefers: bool) -> list[float]:
        monkeypatch.setattr(precision, "prefers_bf16", lambda: prefers)
        torch.manual_seed(5)
        model = add_lora(load_for_training(wide, quantization), spec)
        model.train()
        trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
        assert {parameter.dtype for parameter in trained} == {torch.float32}
        optimizer = torch.optim.AdamW(trained, lr=1e-3)
        found = []
        for _ in range(12):
            loss = model(input_ids=ids, labels=ids).loss
            loss.backward()
            optimizer.step()
            optimizer.zero_grad()
            found.append(float(loss.detach()))
        return found

    wide_losses, narrow_losses = losses(False), losses(True)
    assert wide_losses != narrow_losses, "nothing was computed in bf16"
    assert narrow_losses == pytest.approx(wide_losses, rel=0.03)
    assert narrow_losses[-1] < 0.95 * narrow_losses[0]


@has_kernels
@pytest.mark.usefixtures("in_bf16")
def test_serving_in_bf16_says_about_what_fp32_says(wide: Path) -> None:
    ids = torch.arange(60).reshape(1, 60)
    with torch.inference_mode():
        exact = load_for_inference(wide)(input_ids=ids).logits
        served = load_for_serving(wide)
        near = served(input_ids=ids).logits
    assert all(module.weight.dtype is torch.bfloat16 for module in served.modules() if isinstance(module, nn.Linear))
    assert near.dtype is torch.float32
    torch.testing.assert_close(near, exact, rtol=0, atol=0.05 * float(exact.std()))


@pytest.mark.parametrize("change", [narrow, lambda model: pack(model, torch.float32)], ids=["narrow", "pack"])
def test_layers_of_another_kind_are_left_alone(change: Any) -> None:
    class Own(nn.Linear):
        pass

    model: Any = nn.Sequential(nn.Linear(8, 8), Own(8, 8))
    change(model)
    assert [type(layer) for layer in model][1] is Own
    assert type(model[0]) is not nn.Linear
