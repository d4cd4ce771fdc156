"""What bf16 brings on a processor that multiplies it, with SmolLM2: training, and answering 16 requests at a time.

`make bench-precision`. Each run is a process of its own (bench/precision_once.py) with one thread, in turns: a QLoRA
training of `PRECISION_STEPS` steps (12) in fp32 and in bf16; greedy answers of 32 tokens to 32 prompts with plain
weights in fp32, and with packed ones in fp32 and in bf16. `PRECISION_ROUNDS` is the number of runs of each (3). The
clock is the processor's, because others may use the machine.
"""

import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

from bench.report import ROOT, Goal, finish
from scripts.base_smollm2 import smollm2

ROUNDS = int(os.environ.get("PRECISION_ROUNDS", "3"))
RUNS = ("train fp32", "train bf16", "answer plain", "answer fp32", "answer bf16")
GOALS: dict[str, Goal] = {
    "train_bf16_to_fp32": (">=", 1.8),
    "train_loss_difference": ("<=", 0.02),
    "answer_bf16_to_plain_fp32": (">=", 1.8),
}


def main() -> int:
    """Run them in turns and report."""
    folder = smollm2()
    seen: dict[str, list[dict[str, float]]] = {run: [] for run in RUNS}
    for _ in range(ROUNDS):
        for run in RUNS:
            seen[run].append(_once(run, folder))
            print(run, seen[run][-1], flush=True)
    figures = {
        f"{run.replace(' ', '_')}_tokens_per_second": statistics.median(one["tokens_per_second"] for one in found)
        for run, found in seen.items()
    }
    for name, faster, slower in (
        ("train_bf16_to_fp32", "train bf16", "train fp32"),
        ("answer_bf16_to_plain_fp32", "answer bf16", "answer plain"),
        ("answer_fp32_to_plain_fp32", "answer fp32", "answer plain"),
    ):
        pairs = zip(seen[faster], seen[slower], strict=True)
        figures[name] = statistics.median(
            ours["tokens_per_second"] / theirs["tokens_per_second"] for ours, theirs in pairs
        )
    losses = [seen[run][0]["loss"] for run in ("train fp32", "train bf16")]
    figures["train_loss_difference"] = abs(losses[1] - losses[0]) / losses[0]
    for run in ("answer fp32", "answer bf16"):
        figures[f"{run.replace(' ', '_')}_equal_to_plain"] = seen[run][0]["digest"] == seen["answer plain"][0]["digest"]
    return finish("precision", figures=figures, goals=GOALS, packages=["torch", "transformers", "bitsandbytes"])


def _once(run: str, folder: Path) -> dict[str, float]:
    command = [sys.executable, "-m", "bench.precision_once", *run.split(), str(folder)]
    found = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout
    figures: dict[str, float] = json.loads(found.splitlines()[-1])
    return figures


if __name__ == "__main__":
    sys.exit(main())
