"""Many adapters on one base: the engine's shared batches against PEFT's set_adapter, in one interleaved run.

    python -m bench.engine [tiny] [smollm2]

For each base, clients send the next request as soon as they have an answer. First, 16 clients with an adapter each:
PEFT behind a lock, one request at a time, against the engine's worker. Both use the same weights in fp32, and their
answers are compared. Then the engine alone, with answers of a fixed length: all requests for the base, for 16 adapters
by as many clients, and for 64 adapters by 32 clients, the widest batch. Then how long an adapter takes into a slot,
beside reading its file. Where the product serves a base in bf16 on this processor, the engine does so as well, against
PEFT in fp32 and in bf16, whichever is faster.
"""

import os
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")

import torch

from bench import engine_adapters
from bench.engine_bases import Ids, folder_of, prompts_for
from bench.engine_paths import EnginePath, PeftPath
from bench.report import Goal, finish
from lorakit.base import end_token_ids, hidden_size, load_for_inference, load_tokenizer
from lorakit.package import WEIGHTS
from lorakit.precision import compute_dtype
from lorakit.serve.adapters.pool import StoredAdapter

ADAPTERS = 64
CLIENTS = 16
WIDE = 32
NEW_TOKENS = 32
# Requests of a client in a round, and rounds: against PEFT, and of the engine alone.
SIZES = {"tiny": ((6, 3), (6, 5)), "smollm2": ((1, 2), (1, 5))}
PACKAGES = ("torch", "transformers", "peft", "safetensors")

Answer = Callable[[Ids, int | None], Ids]


def goals_of(name: str, *, is_exact: bool) -> dict[str, Goal]:
    """What the figures of one base in one format have to reach; in fp32, answers are equal to PEFT's."""
    goals: dict[str, Goal] = {
        f"{name}_16_clients_ratio": (">=", 6.0),
        f"{name}_16_adapters_of_base_only": (">=", 0.9),
        f"{name}_64_adapters_of_base_only": (">=", 0.9),
    }
    return goals | ({f"{name}_equal_answers_share": (">=", 1.0)} if is_exact else {})


def run_clients(
    answer: Answer, prompts: list[Ids], *, clients: int, turns: int, adapters: int
) -> tuple[float, list[float], dict[int, Ids]]:
    """Run all clients at once; returns requests per second, each request's latency in seconds, and the answers.

    Request `i` is for adapter `i` modulo `adapters`, or for the base if that is 0.
    """
    latencies: list[float] = []
    answers: dict[int, Ids] = {}

    def client(number: int) -> None:
        for turn in range(turns):
            index = turn * clients + number
            started = time.perf_counter()
            answers[index] = answer(prompts[index % len(prompts)], index % adapters if adapters else None)
            latencies.append(time.perf_counter() - started)

    threads = [threading.Thread(target=client, args=(number,)) for number in range(clients)]
    started = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return clients * turns / (time.perf_counter() - started), latencies, answers


def against_peft(
    base: str, name: str, peers: Mapping[str, PeftPath], engine: EnginePath, prompts: list[Ids]
) -> dict[str, float]:
    """16 clients with an adapter each, answers of natural length, all in turn; the ratio is to the fastest peer."""
    turns, rounds = SIZES[base][0]
    paths: dict[str, PeftPath | EnginePath] = {**peers, "engine": engine}
    rates: dict[str, list[float]] = {path: [] for path in paths}
    latencies: dict[str, list[float]] = {path: [] for path in paths}
    answers: dict[str, dict[int, Ids]] = {}
    for _ in range(rounds):
        for key, path in paths.items():
            rate, taken, answers[key] = run_clients(
                partial(path.answer, tokens=NEW_TOKENS, is_fixed=False),
                prompts,
                clients=CLIENTS,
                turns=turns,
                adapters=CLIENTS,
            )
            rates[key].append(rate)
            latencies[key] += taken
    figures = {}
    for key in paths:
        ranked = statistics.quantiles(latencies[key], n=100)
        figures[f"{name}_16_clients_{key}_requests_per_second"] = statistics.median(rates[key])
        figures[f"{name}_16_clients_{key}_p50_ms"] = ranked[49] * 1000
        figures[f"{name}_16_clients_{key}_p95_ms"] = ranked[94] * 1000
    fastest = [max(each) for each in zip(*(rates[peer] for peer in peers), strict=True)]
    ratios = [ours / theirs for ours, theirs in zip(rates["engine"], fastest, strict=True)]
    figures[f"{name}_16_clients_ratio"] = statistics.median(ratios)
    same = sum(answers["peft"][index] == tokens for index, tokens in answers["engine"].items())
    figures[f"{name}_equal_answers_share"] = same / len(answers["engine"])
    return figures


def mixing(base: str, name: str, engine: EnginePath, prompts: list[Ids]) -> dict[str, float]:
    """Tokens per second of the engine for the base alone and for mixed adapters, in turn."""
    turns, rounds = SIZES[base][1]
    figures = {}
    for adapters, clients in ((CLIENTS, CLIENTS), (ADAPTERS, WIDE)):
        rates: dict[int, list[float]] = {0: [], adapters: []}
        for _ in range(rounds + 1):
            for count, seen in rates.items():
                rate, _, _ = run_clients(
                    partial(engine.answer, tokens=NEW_TOKENS, is_fixed=True),
                    prompts,
                    clients=clients,
                    turns=turns * (2 if adapters > clients else 1),
                    adapters=count,
                )
                seen.append(rate * NEW_TOKENS)
        # The first round warms up.
        plain, mixed = rates[0][1:], rates[adapters][1:]
        figures[f"{name}_base_only_{clients}_clients_tokens_per_second"] = statistics.median(plain)
        figures[f"{name}_{adapters}_adapters_{clients}_clients_tokens_per_second"] = statistics.median(mixed)
        ratios = [ours / theirs for ours, theirs in zip(mixed, plain, strict=True)]
        figures[f"{name}_{adapters}_adapters_of_base_only"] = statistics.median(ratios)
    return figures


def loading(base: str, engine: EnginePath, adapters: list[StoredAdapter]) -> dict[str, float]:
    """Milliseconds to put an adapter into a slot, and to read its file; the files are in the page cache."""
    filled, read = [], []
    for adapter in adapters[:CLIENTS]:
        started = time.perf_counter()
        content = (adapter.directory / WEIGHTS).read_bytes()
        read.append(time.perf_counter() - started)
        started = time.perf_counter()
        engine.pool.fill(1, adapter)
        filled.append(time.perf_counter() - started)
    return {
        f"{base}_adapter_mib": len(content) / 2**20,
        f"{base}_load_ms": statistics.median(filled) * 1000,
        f"{base}_read_file_ms": statistics.median(read) * 1000,
    }


def measure(base: str, folder: Path) -> tuple[dict[str, float], dict[str, Goal]]:
    """All figures of one base, and their goals."""
    base_folder = folder_of(base)
    model = load_for_inference(base_folder)
    print(f"{base}: making {ADAPTERS} adapters", flush=True)
    made = (
        engine_adapters.trained(folder / base, ADAPTERS)
        if base == "tiny"
        else engine_adapters.random(folder / base, model, ADAPTERS)
    )
    prompts = prompts_for(base_folder)
    ends = end_token_ids(model, load_tokenizer(base_folder))
    peers = {"peft": PeftPath(base_folder, made[:CLIENTS], ends)}
    engine = EnginePath(base_folder, made, ends)
    print(f"{base}: base only and mixed", flush=True)
    figures = mixing(base, base, engine, prompts)
    print(f"{base}: against PEFT", flush=True)
    figures |= against_peft(base, base, peers, engine, prompts)
    figures |= loading(base, engine, made)
    engine.stop()
    goals = goals_of(base, is_exact=True)
    served = compute_dtype(hidden_size(model.config))
    if served is torch.bfloat16:
        name = f"{base}_bf16"
        peers["peft_bf16"] = PeftPath(base_folder, made[:CLIENTS], ends, served)
        engine = EnginePath(base_folder, made, ends, served)
        print(f"{base}: as it is served", flush=True)
        figures |= mixing(base, name, engine, prompts)
        figures |= against_peft(base, name, peers, engine, prompts)
        engine.stop()
        goals |= goals_of(name, is_exact=False)
    return figures, goals


def main() -> int:
    """Measure and report."""
    bases = sys.argv[1:] or list(SIZES)
    torch.set_num_threads(1)
    figures: dict[str, float] = {}
    goals: dict[str, Goal] = {}
    for base in bases:
        with tempfile.TemporaryDirectory() as folder:
            seen, wanted = measure(base, Path(folder))
        figures |= seen
        goals |= wanted
    return finish("engine", figures=figures, goals=goals, packages=PACKAGES)


if __name__ == "__main__":
    sys.exit(main())
