"""One run for bench/precision.py: python -m bench.precision_once train|answer plain|fp32|bf16 FOLDER."""

import json
import os
import sys
import tempfile
import time
import zlib
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")

import torch

from bench.engine_bases import prompts_for
from bench.train_once import time_training
from lorakit import precision
from lorakit.base import load_for_inference, load_for_serving
from lorakit.contracts import TrainSpec
from lorakit.rundir import Run
from lorakit.serve.adapters.pool import SlotPool
from lorakit.serve.steps.decode import DecodeBatch, decode_all
from lorakit.serve.steps.sequences import Sequence
from lorakit.train.training import train
from portal.demo.datasets import demo_rows

STEPS = int(os.environ.get("PRECISION_STEPS", "12"))
PROMPTS, WIDTH, TOKENS = 32, 16, 32


def trained(base: Path) -> dict[str, float]:
    """Tokens a second of `Trainer.train`, and the last loss."""
    figures: dict[str, float] = {}
    time_training(figures)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "inputs" / "train").mkdir(parents=True)
        rows = demo_rows("support", train=8 * STEPS, test=0, unseen=0, seed=1)
        lines = "".join(f"{json.dumps({'messages': row['messages']})}\n" for row in rows)
        (folder / "inputs" / "train" / "rows.jsonl").write_text(lines)
        spec = TrainSpec(
            base_model=str(base), base_id="smollm2", r=16, max_steps=STEPS, learning_rate=1e-3, logging_steps=STEPS
        )
        train(Run(folder, spec, area="training"))
    return {"tokens_per_second": figures["tokens"] / figures["cpu_seconds"], "loss": figures["train_loss"]}


def answered(base: Path, kind: str) -> dict[str, float]:
    """New tokens a second of the steps that say them, and a digest of what was said."""
    model = load_for_inference(base) if kind == "plain" else load_for_serving(base)
    batch = DecodeBatch(model, SlotPool(model, slots=1, max_rank=8), end_ids=frozenset())
    rows = [Sequence(prompt, 0, TOKENS) for prompt in prompts_for(base)[:PROMPTS]]
    decode_all(batch, [Sequence(rows[0].prompt, 0, 2)], width=WIDTH)
    started = time.process_time()
    decode_all(batch, rows, width=WIDTH)
    seconds = time.process_time() - started
    digest = zlib.crc32(json.dumps([row.tokens for row in rows]).encode())
    return {"tokens_per_second": PROMPTS * TOKENS / seconds, "digest": float(digest)}


def main() -> None:
    """Run once and print the figures."""
    work, kind, folder = sys.argv[1], sys.argv[2], Path(sys.argv[3])
    torch.set_num_threads(1)
    is_bf16 = kind == "bf16"
    precision.prefers_bf16 = lambda: is_bf16  # type: ignore[assignment]
    print(json.dumps(trained(folder) if work == "train" else answered(folder, kind)))


if __name__ == "__main__":
    main()
