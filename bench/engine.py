"""Sixteen adapters on one base: the engine's shared batches against PEFT's set_adapter, in one interleaved run.

It measures requests per second in two situations. First, for batches of 1, 8 or 32 requests for different adapters,
each with 32 new tokens. Second, with 16 clients that each send their own adapter the next request as soon as they have
an answer: PEFT behind a lock, one request at a time, against the engine's worker. Both use the same weights, and their
answers are compared.
"""

import json
import os
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import torch
from peft import PeftModel
from safetensors.torch import load_file, save_file

from bench.report import Goal, finish
from lorakit.base import end_token_ids, load_for_inference, load_tokenizer
from lorakit.contracts import TrainSpec
from lorakit.package import CONFIG, PACKAGE, WEIGHTS, check_directory, pack, unpack
from lorakit.rundir import Run
from lorakit.serve.batcher import Batcher, Job
from lorakit.serve.decode import DecodeBatch, Sequence, decode_all
from lorakit.serve.pool import SlotPool, StoredAdapter
from lorakit.train.training import train
from portal.demo.datasets import demo_rows

BASE = Path(__file__).parents[1] / "lorakit" / "tiny" / "model"
ADAPTERS = 16
CLIENTS = 16
REQUESTS_PER_CLIENT = 6
ROUNDS = 3
NEW_TOKENS = 32
PACKAGES = ("torch", "transformers", "peft", "safetensors")
GOALS: dict[str, Goal] = {"clients_16_ratio": (">=", 3.0), "equal_answers_share": (">=", 1.0)}

Ids = list[int]
Answer = Callable[[Ids, int], Ids]


def make_adapters(folder: Path) -> list[StoredAdapter]:
    """Train one adapter for a few steps and derive sixteen from it."""
    run_folder = folder / "run"
    (run_folder / "inputs" / "train").mkdir(parents=True)
    spec = TrainSpec(base_model=str(BASE), base_id="tiny-llama", max_steps=60, learning_rate=5e-3)
    rows = demo_rows("support", train=400, test=0, unseen=0, seed=1)
    lines = "".join(f"{to_line(row['messages'])}\n" for row in rows)
    (run_folder / "inputs" / "train" / "rows.jsonl").write_text(lines)
    run = Run(run_folder, spec, area="training")
    train(run)
    unpack(run.output / PACKAGE, folder / "trained")
    weights = load_file(folder / "trained" / WEIGHTS)
    return [vary(folder, weights, number) for number in range(ADAPTERS)]


def to_line(messages: list[dict[str, str]]) -> str:
    """A chat row as a line of JSON."""
    return json.dumps({"messages": messages})


def vary(folder: Path, weights: dict[str, torch.Tensor], number: int) -> StoredAdapter:
    """A packed and unpacked copy of the adapter with a little noise, so that each copy has different weights."""
    source = folder / f"source-{number}"
    source.mkdir()
    generator = torch.Generator().manual_seed(number)
    noisy = {
        name: tensor + 0.02 * number * tensor.std() * torch.randn(tensor.shape, generator=generator)
        for name, tensor in weights.items()
    }
    save_file(noisy, source / WEIGHTS, metadata={"format": "pt"})
    (source / CONFIG).write_bytes((folder / "trained" / CONFIG).read_bytes())
    sha256 = pack(source, folder / f"{number}.tar.gz")
    directory = folder / f"adapter-{number}"
    unpack(folder / f"{number}.tar.gz", directory)
    config, modules, _ = check_directory(directory)
    return StoredAdapter(sha256, directory, config, modules)


class PeftPath:
    """PEFT with all adapters loaded, switching between them."""

    def __init__(self, adapters: list[StoredAdapter], ends: frozenset[int]) -> None:
        self._ends = sorted(ends)
        self._lock = threading.Lock()
        self._model = PeftModel.from_pretrained(load_for_inference(BASE), str(adapters[0].directory), adapter_name="0")
        for number, adapter in enumerate(adapters[1:], 1):
            self._model.load_adapter(str(adapter.directory), adapter_name=str(number))
        self._model.eval()

    def _generate(self, prompts: list[Ids], *, fixed: bool) -> list[Ids]:
        longest = max(map(len, prompts))
        ids = torch.tensor([[0] * (longest - len(prompt)) + prompt for prompt in prompts])
        mask = torch.tensor([[0] * (longest - len(prompt)) + [1] * len(prompt) for prompt in prompts])
        with torch.inference_mode():
            output = self._model.generate(  # type: ignore[no-untyped-call]
                input_ids=ids,
                attention_mask=mask,
                max_new_tokens=NEW_TOKENS,
                min_new_tokens=NEW_TOKENS if fixed else None,
                do_sample=False,
            )
        answers: list[Ids] = output[:, longest:].tolist()
        return answers

    def batch(self, prompts: list[Ids], adapters: list[int]) -> None:
        """Answer a batch with the full number of tokens, in one pass per adapter."""
        for adapter in sorted(set(adapters)):
            self._model.set_adapter(str(adapter))
            self._generate([p for p, a in zip(prompts, adapters, strict=True) if a == adapter], fixed=True)

    def answer(self, prompt: Ids, adapter: int) -> Ids:
        """Answer one request at a time."""
        with self._lock:
            self._model.set_adapter(str(adapter))
            tokens = self._generate([prompt], fixed=False)[0]
        end = next((index for index, token in enumerate(tokens) if token in self._ends), len(tokens) - 1)
        return tokens[: end + 1]


class EnginePath:
    """The engine: slots, shared batches, one worker."""

    def __init__(self, adapters: list[StoredAdapter], ends: frozenset[int]) -> None:
        model = load_for_inference(BASE)
        self._adapters = adapters
        self._pool = SlotPool(model, slots=ADAPTERS, max_rank=16)
        self._fixed = DecodeBatch(model, self._pool, end_ids=frozenset(), pad_id=0)
        self._natural = DecodeBatch(model, self._pool, end_ids=ends, pad_id=0)
        self._batcher = Batcher(self._natural, self._pool)

    def batch(self, prompts: list[Ids], adapters: list[int]) -> None:
        """Answer a batch with the full number of tokens, all adapters together."""
        slots = [self._pool.acquire(self._adapters[adapter]) or 0 for adapter in adapters]
        rows = [Sequence(prompt, slot, NEW_TOKENS) for prompt, slot in zip(prompts, slots, strict=True)]
        decode_all(self._fixed, rows, width=len(rows))
        for slot in slots:
            self._pool.release(slot)

    def start(self) -> None:
        """Start the worker; after that, call only `answer`."""
        self._batcher.start()

    def stop(self) -> None:
        """Stop the worker."""
        self._batcher.stop()

    def answer(self, prompt: Ids, adapter: int) -> Ids:
        """Answer one request through the worker."""
        ended = threading.Event()
        sequence = Sequence(prompt, 0, NEW_TOKENS)
        self._batcher.submit(Job(sequence, self._adapters[adapter], lambda error: ended.set()))
        ended.wait()
        return sequence.tokens


def encode_prompts() -> list[Ids]:
    """Held-out tickets as token ids."""
    tokenizer = load_tokenizer(BASE)
    rows = demo_rows("support", train=0, test=128, unseen=0, seed=2)
    texts = [
        str(tokenizer.apply_chat_template(row["messages"][:1], tokenize=False, add_generation_prompt=True))
        for row in rows
    ]
    ids: list[Ids] = tokenizer(texts, add_special_tokens=False)["input_ids"]
    return ids


def measure_batches(figures: dict[str, float], peft: PeftPath, engine: EnginePath, prompts: list[Ids]) -> None:
    """Requests per second at batch sizes 1, 8 and 32, the two paths in turn."""
    for size in (1, 8, 32):
        seconds: dict[str, list[float]] = {"peft": [], "engine": []}
        for repeat in range(ROUNDS + 1):
            chosen = [prompts[(repeat * size + row) % len(prompts)] for row in range(size)]
            adapters = [(repeat * size + row) % ADAPTERS for row in range(size)]
            for name, path in (("peft", peft), ("engine", engine)):
                started = time.perf_counter()
                path.batch(chosen, adapters)
                if repeat:
                    seconds[name].append(time.perf_counter() - started)
        rates = {name: size / statistics.median(taken) for name, taken in seconds.items()}
        for name, rate in rates.items():
            figures[f"batch_{size}_{name}_requests_per_second"] = rate
        figures[f"batch_{size}_ratio"] = rates["engine"] / rates["peft"]


def run_clients(answer: Answer, prompts: list[Ids]) -> tuple[float, list[float], dict[int, Ids]]:
    """Run all clients at once; returns the total seconds, each request's latency in seconds, and the answers."""
    latencies: list[float] = []
    answers: dict[int, Ids] = {}

    def client(number: int) -> None:
        for turn in range(REQUESTS_PER_CLIENT):
            index = number * REQUESTS_PER_CLIENT + turn
            started = time.perf_counter()
            answers[index] = answer(prompts[index % len(prompts)], number % ADAPTERS)
            latencies.append(time.perf_counter() - started)

    threads = [threading.Thread(target=client, args=(number,)) for number in range(CLIENTS)]
    started = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return time.perf_counter() - started, latencies, answers


def measure_clients(figures: dict[str, float], peft: PeftPath, engine: EnginePath, prompts: list[Ids]) -> None:
    """Requests per second and latency with 16 clients in a closed loop, the two paths in turn."""
    paths: dict[str, Answer] = {"peft": peft.answer, "engine": engine.answer}
    rates: dict[str, list[float]] = {name: [] for name in paths}
    latencies: dict[str, list[float]] = {name: [] for name in paths}
    answers: dict[str, dict[int, Ids]] = {}
    for _ in range(ROUNDS):
        for name, answer in paths.items():
            seconds, taken, answers[name] = run_clients(answer, prompts)
            rates[name].append(CLIENTS * REQUESTS_PER_CLIENT / seconds)
            latencies[name].extend(taken)
    for name in paths:
        ranked = statistics.quantiles(latencies[name], n=100)
        figures[f"clients_16_{name}_requests_per_second"] = statistics.median(rates[name])
        figures[f"clients_16_{name}_p50_ms"] = ranked[49] * 1000
        figures[f"clients_16_{name}_p95_ms"] = ranked[94] * 1000
    figures["clients_16_ratio"] = statistics.median(rates["engine"]) / statistics.median(rates["peft"])
    same = sum(answers["peft"][index] == tokens for index, tokens in answers["engine"].items())
    figures["equal_answers_share"] = same / len(answers["engine"])


def main() -> int:
    """Measure and report."""
    torch.set_num_threads(1)
    figures: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        print(f"training one adapter and deriving {ADAPTERS} from it", flush=True)
        adapters = make_adapters(Path(folder))
        prompts = encode_prompts()
        ends = end_token_ids(load_for_inference(BASE), load_tokenizer(BASE))
        peft, engine = PeftPath(adapters, ends), EnginePath(adapters, ends)
        print("batches of 1, 8 and 32", flush=True)
        measure_batches(figures, peft, engine, prompts)
        print(f"{CLIENTS} clients", flush=True)
        engine.start()
        measure_clients(figures, peft, engine, prompts)
        engine.stop()
    return finish("engine", figures=figures, goals=GOALS, packages=PACKAGES)


if __name__ == "__main__":
    sys.exit(main())
