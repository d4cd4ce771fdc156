"""The parts of a plan against published cases, and against the tensors of our own engine."""

from pathlib import Path
from typing import Any

import pytest
import torch
from django.conf import settings
from transformers import DynamicCache

from lorakit.base import load_for_serving
from lorakit.capacity.advice import changes_that_fit, problem_of
from lorakit.capacity.machines import GIB, usable_gpu_bytes
from lorakit.capacity.plan import base_bytes, host_bytes, plan_of, slot_bytes, token_bytes
from lorakit.capacity.ranks import rounded_rank
from lorakit.capacity.setup import Setup
from lorakit.capacity.shape import read_shape
from lorakit.serve.adapters.pool import SlotPool
from tests.lorakit.capacity.shapes import LLAMA_2_7B, LLAMA_2_13B, LLAMA_3_8B, shape, vllm

GB = 10**9
EIGHT = shape(LLAMA_3_8B)


def gpu(instance_type: str) -> int:
    found = usable_gpu_bytes(instance_type)
    assert found is not None
    return found


def test_a_7b_with_16_adapters_of_85_mb_leaves_about_7_gb_of_24() -> None:
    plan = plan_of(shape(LLAMA_2_7B), vllm())
    assert plan.base == pytest.approx(13.5 * GB, rel=0.01)
    assert plan.slot == pytest.approx(0.085 * GB, rel=0.05)
    assert plan.cache == pytest.approx(7 * GB, rel=0.08)
    assert plan.fits


def test_an_8b_on_a_g6e_xlarge_leaves_half_of_the_gpu_for_requests() -> None:
    plan = plan_of(EIGHT, vllm(device_bytes=gpu("ml.g6e.xlarge"), slots=8, max_rank=64, context=8192))
    assert plan.base == pytest.approx(16.06 * GB, rel=0.01)
    assert plan.fits
    assert plan.cache > gpu("ml.g6e.xlarge") / 2 * 0.85
    assert 15 <= plan.sequences(8192) <= 25
    assert sum(size for _, _, size in plan.parts) == plan.limit


@pytest.mark.parametrize(
    ("config", "device", "max_rank", "fits"),
    [
        # S-LoRA's settings (table 1) and the GPUs that it has results of: S1 and S2 are a 7B, S4 is a 13B.
        (LLAMA_2_7B, gpu("ml.g5.xlarge"), 8, True),
        (LLAMA_2_7B, gpu("ml.g5.xlarge"), 64, True),
        (LLAMA_2_13B, gpu("ml.g5.xlarge"), 64, False),
        (LLAMA_2_13B, gpu("ml.p4d.24xlarge"), 64, True),
        (LLAMA_2_13B, gpu("ml.p4de.24xlarge"), 64, True),
    ],
)
def test_what_s_lora_ran_fits(config: dict[str, Any], device: int, max_rank: int, fits: bool) -> None:
    plan = plan_of(shape(config), vllm(device_bytes=device, slots=8, max_rank=max_rank, context=1024))
    assert plan.fits is fits


@pytest.mark.parametrize(("rank", "needed"), [(1, 1), (2, 8), (12, 16), (48, 64), (257, 320), (512, 512)])
def test_every_slot_has_room_for_the_rounded_rank(rank: int, needed: int) -> None:
    assert rounded_rank(rank) == needed
    assert slot_bytes(EIGHT, vllm(max_rank=rank)) == slot_bytes(EIGHT, vllm(max_rank=needed))


@pytest.mark.parametrize("rank", [0, 513])
def test_there_are_no_slots_for_other_ranks(rank: int) -> None:
    with pytest.raises(ValueError, match="512"):
        vllm(max_rank=rank)


def test_two_gpus_share_the_base_the_cache_and_one_side_of_each_slot() -> None:
    one, two = plan_of(EIGHT, vllm()), plan_of(EIGHT, vllm(gpus=2))
    assert two.base == one.base // 2
    assert two.token == one.token // 2
    assert one.slot / 2 < two.slot < one.slot
    # More GPUs than key-value heads hold copies of them.
    assert plan_of(EIGHT, vllm(gpus=16)).token == one.token // 8


def test_nf4_weights_take_a_quarter_and_the_embedding_does_not() -> None:
    packed = base_bytes(EIGHT, vllm(precision="nf4"))
    assert packed == pytest.approx(EIGHT.linear_parameters * 0.516 + EIGHT.other_parameters * 2, rel=0.001)


def test_what_does_not_fit_says_why_and_what_would() -> None:
    setup = vllm(device_bytes=gpu("ml.g6.xlarge"), slots=48, max_rank=64, context=8192)
    plan = plan_of(EIGHT, setup)
    assert not plan.fits
    assert "48 slots of rank 64 and one sequence of 8,192 tokens need" in problem_of(plan)
    changes = {change.name: change for change in changes_that_fit(EIGHT, plan)}
    assert set(changes) == {"slots", "max_rank", "device_bytes"}
    assert changes["device_bytes"].value == "ml.g6e.xlarge"
    for name in ("slots", "max_rank"):
        assert plan_of(EIGHT, setup.but(**{name: changes[name].value})).fits
    # They are the nearest ones: one slot more does not fit.
    assert not plan_of(EIGHT, setup.but(slots=int(changes["slots"].value) + 1)).fits
    assert changes["max_rank"].value == 8


def test_a_shorter_context_is_proposed_where_only_requests_lack_room() -> None:
    plan = plan_of(EIGHT, vllm(context=65_536, max_rank=8, slots=4))
    assert plan.cache > 0
    changes = {change.name: change for change in changes_that_fit(EIGHT, plan)}
    context = int(changes["context"].value)
    assert plan_of(EIGHT, vllm(context=context, max_rank=8, slots=4)).fits
    assert context % 256 == 0


def test_what_fits_needs_no_change() -> None:
    plan = plan_of(EIGHT, vllm(device_bytes=48 * GIB))
    assert problem_of(plan) == ""
    assert not list(changes_that_fit(EIGHT, plan))
    assert problem_of(plan, sequences=200)


def test_the_most_slots_leave_the_wanted_concurrency() -> None:
    setup = vllm(device_bytes=48 * GIB)
    plan = plan_of(EIGHT, setup)
    most = plan.most_slots(20)
    assert most is not None
    assert plan_of(EIGHT, setup.but(slots=most)).sequences(4096) >= 20
    assert plan_of(EIGHT, setup.but(slots=most + 1)).sequences(4096) < 20


def ours(slots: int, **changes: Any) -> Setup:
    usual: dict[str, Any] = {"engine": "lorakit", "precision": "fp32", "device_bytes": None, "has_gpu": False}
    return Setup(**usual, slots=slots, host_adapters=slots, max_rank=24, context=2048, width=32, **changes)


def test_our_engines_tensors_have_the_planned_sizes() -> None:
    base: Path = settings.BASE_MODEL_DIR
    tiny = read_shape(base)
    assert tiny is not None
    model = load_for_serving(base)
    pool, plan = SlotPool(model, slots=5, max_rank=24), plan_of(tiny, ours(5))
    assert plan.slots == pool.size
    assert plan.lanes == pool._lanes.nbytes
    assert plan.base == sum(weights.nbytes for weights in model.parameters())
    with torch.inference_mode():
        cache = model(torch.ones(3, 7, dtype=torch.long), past_key_values=DynamicCache()).past_key_values
    held = sum(layer.keys.nbytes + layer.values.nbytes for layer in cache.layers)
    assert held == 3 * 7 * plan.token == 3 * 7 * token_bytes(tiny, ours(5))
    assert host_bytes(tiny, ours(5)) == 0


def test_our_engine_without_a_known_limit_plans_for_a_full_batch() -> None:
    tiny = read_shape(settings.BASE_MODEL_DIR)
    assert tiny is not None
    plan = plan_of(tiny, ours(4))
    assert plan.limit is None
    assert plan.fits
    assert plan.sequences(2048) == 32
    assert plan.most_slots(1) is None
    assert not list(changes_that_fit(tiny, plan))
    with_limit = plan_of(tiny, ours(4, utilisation=1.0).but(device_bytes=GIB))
    most = with_limit.most_slots(1)
    assert most is not None
    assert with_limit.limit == GIB
    assert plan_of(tiny, with_limit.setup.but(slots=most)).fits
    assert not plan_of(tiny, with_limit.setup.but(slots=most + 1)).fits
