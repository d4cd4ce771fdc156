"""The number format in which a base's matrix products are computed on this process's device."""

import time
from functools import cache

import torch
from torch.nn.functional import linear

NARROWEST = 512
"""Bases with a smaller hidden size stay in fp32 on a CPU: there, bf16 gains nothing."""

GAIN = 1.2
"""How many times as fast bf16 has to be."""


def compute_dtype(hidden_size: int) -> torch.dtype:
    """bf16 on GPUs, and on processors that multiply it faster than fp32, for all but small bases; else fp32."""
    if torch.cuda.is_available():
        return torch.bfloat16
    return torch.bfloat16 if hidden_size >= NARROWEST and prefers_bf16() else torch.float32


@cache
def prefers_bf16() -> bool:
    """Whether this processor has instructions for bf16, and is faster with it, as measured once in some 20 ms."""
    if not has_bf16_instructions():
        return False
    return seconds_of_a_product(torch.float32) > GAIN * seconds_of_a_product(torch.bfloat16)


def has_bf16_instructions() -> bool:
    """AVX512-BF16, AMX or their like. Without, bf16 is emulated."""
    return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())


@torch.inference_mode()
def seconds_of_a_product(dtype: torch.dtype) -> float:
    """Of 64 rows of 1,024 numbers with a square matrix, the shortest of five times."""
    rows, matrix = torch.ones(64, 1024, dtype=dtype), torch.ones(1024, 1024, dtype=dtype)
    times = []
    for _ in range(6):
        started = time.perf_counter()
        linear(rows, matrix)
        times.append(time.perf_counter() - started)
    # The first also sets up.
    return min(times[1:])
