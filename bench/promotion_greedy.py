"""Greedy answers of some adapters while others come and go, against the same answers in quiet."""

import asyncio
import contextlib
import itertools
import random
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import aiohttp

from bench.promotion_site import BASE, Site, messages, new_name
from lorakit.tiny.canaries import pack_canary

ADAPTERS, OTHERS = 8, 20
"""Those that are compared, and those that come and go: together more than the engine's 16 slots."""

PROMPTS = [f"{verb}: {noun}." for verb in ("Repeat", "Name", "Total") for noun in ("amber", "Ruth Vale", "42", "a b c")]
TOKENS = 4
AT_ONCE = 32
ROUND = 1_000

Work = tuple[str, str]
Given = tuple[str, int, str]
"""Text, number of tokens, why it ended."""


async def compare(site: Site, *, answers: int, seconds: float) -> dict[str, float]:
    """Two phases in quiet, then up to so many answers, or as many as fit in so many seconds, while others churn."""
    with tempfile.TemporaryDirectory() as folder:
        packages = [Path(folder) / f"{number}.tar.gz" for number in range(ADAPTERS + OTHERS)]
        for number, package in enumerate(packages):
            pack_canary(BASE, package, seed=500_000 + number)
        async with aiohttp.ClientSession(site.engine, headers=site.engine_headers()) as engine:
            names = [new_name() for _ in range(ADAPTERS)]
            for name, package in zip(names, packages, strict=False):
                await _change(engine, "load", lora_name=name, lora_path=str(package))
            work = list(itertools.product(names, PROMPTS))
            expected = dict(zip(work, await _answers(engine, work), strict=True))
            again = dict(zip(work, await _answers(engine, work), strict=True))
            gone: list[str] = []
            churn = asyncio.create_task(_come_and_go(engine, packages[ADAPTERS:], gone))
            began, given, different = time.monotonic(), 0, 0
            while given < answers and time.monotonic() - began < seconds:
                chosen = random.choices(work, k=min(ROUND, answers - given))
                found = await _answers(engine, chosen)
                different += sum(expected[one] != answer for one, answer in zip(chosen, found, strict=True))
                given += len(chosen)
            took = time.monotonic() - began
            churn.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await churn
            for name in names:
                await _change(engine, "unload", lora_name=name)
    return {
        "greedy_control_answers": len(work),
        "greedy_control_different": sum(expected[one] != again[one] for one in work),
        "greedy_answers": given,
        "greedy_different": different,
        "greedy_seconds": took,
        "greedy_adapters_come_and_gone": len(gone),
    }


async def _come_and_go(engine: aiohttp.ClientSession, packages: list[Path], gone: list[str]) -> None:
    """Load, ask and unload one after another, until cancelled; those that are gone again are added to `gone`."""
    for package in itertools.cycle(packages):
        name = new_name()
        await _change(engine, "load", lora_name=name, lora_path=str(package))
        await _answer(engine, (name, PROMPTS[0]))
        await _change(engine, "unload", lora_name=name)
        gone.append(name)


async def _answers(engine: aiohttp.ClientSession, work: Sequence[Work]) -> list[Given]:
    """In the order of the work, AT_ONCE at a time."""
    room = asyncio.Semaphore(AT_ONCE)

    async def one(item: Work) -> Given:
        async with room:
            return await _answer(engine, item)

    return await asyncio.gather(*map(one, work))


async def _answer(engine: aiohttp.ClientSession, item: Work) -> Given:
    name, prompt = item
    body = {"model": name, "messages": messages(prompt), "max_tokens": TOKENS, "temperature": 0}
    async with engine.post("/v1/chat/completions", json=body, raise_for_status=True) as response:
        document = await response.json()
    choice = document["choices"][0]
    return choice["message"]["content"], document["usage"]["completion_tokens"], choice["finish_reason"]


async def _change(engine: aiohttp.ClientSession, how: str, **body: str) -> None:
    async with engine.post(f"/v1/{how}_lora_adapter", json=body, raise_for_status=True):
        return
