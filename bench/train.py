"""Training on the tiny base against TRL's SFTTrainer: the same model, adapter, data and settings, in turn.

`make bench-train`. Each training runs in a separate process (bench/train_once.py), and only `Trainer.train` is timed,
including checkpoints and evaluations. TRL converts the adapter of a 4-bit base to bf16. It is run unchanged and also
with an fp32 adapter, because ours stays fp32; losses are compared with the latter. `TRAIN_STEPS` sets the length (150
steps of 8 rows), `TRAIN_ROUNDS` the number of runs of each.

Other work on the machine affects the wall clock, so there are two ratios with goals, of processor seconds and of
wall-clock seconds. Each training uses one thread.
"""

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from bench.report import ROOT, Goal, finish
from lorakit.contracts import TrainSpec
from portal.demo.datasets import demo_rows
from scripts.peers import peer_python

STEPS = int(os.environ.get("TRAIN_STEPS", "150"))
ROUNDS = int(os.environ.get("TRAIN_ROUNDS", "3"))
VAR = Path(os.environ.get("PORTAL_VAR", ROOT / "var"))
ENGINES = ("lorakit", "trl", "trl-fp32")
GOALS: dict[str, Goal] = {
    "cpu_ratio_trl": (">=", 1.0),
    "cpu_ratio_trl_fp32": (">=", 1.0),
    "wall_ratio_trl": (">=", 1.0),
    "wall_ratio_trl_fp32": (">=", 1.0),
    "eval_loss_difference": ("<=", 0.01),
}


def main() -> int:
    """Run them in turn and report."""
    python = peer_python("trl")
    VAR.mkdir(exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="bench-train-", dir=VAR))
    seen: dict[str, list[dict[str, float]]] = {engine: [] for engine in ENGINES}
    try:
        for turn in range(ROUNDS):
            # The first one reads the files without a cache, so each goes first once.
            for engine in ENGINES[turn % 3 :] + ENGINES[: turn % 3]:
                seen[engine].append(_train(engine, python, _write_run(folder / f"{engine}-{turn}")))
                print(engine, seen[engine][-1], flush=True)
    finally:
        shutil.rmtree(folder)
    figures = {"steps": float(STEPS), "tokens": seen["lorakit"][0]["tokens"]}
    for engine in ENGINES:
        name = engine.replace("-", "_")
        for clock in ("cpu", "wall"):
            rates = [figure["tokens"] / figure[f"{clock}_seconds"] for figure in seen[engine]]
            figures[f"{name}_tokens_per_{clock}_second"] = statistics.median(rates)
        for key in ("train_loss", "eval_loss", "peak_memory_mb"):
            figures[f"{name}_{key}"] = statistics.median(figure[key] for figure in seen[engine])
    for name in ("trl", "trl_fp32"):
        for clock in ("cpu", "wall"):
            rate = f"tokens_per_{clock}_second"
            figures[f"{clock}_ratio_{name}"] = figures[f"lorakit_{rate}"] / figures[f"{name}_{rate}"]
    figures["eval_loss_difference"] = abs(figures["lorakit_eval_loss"] - figures["trl_fp32_eval_loss"])
    return finish("train", figures=figures, goals=GOALS, packages=["torch", "transformers", "peft", "bitsandbytes"])


def _write_run(folder: Path) -> Path:
    """Write a run directory with rows of the demo's support desk and the settings of its recipe."""
    spec = TrainSpec(
        base_model=str(ROOT / "lorakit" / "tiny" / "model"),
        base_id="tiny-llama",
        max_steps=STEPS,
        learning_rate=5e-3,
        logging_steps=5,
        eval_steps=50,
        save_steps=50,
    )
    rows = demo_rows("support", train=1000, test=spec.eval_rows, unseen=0, seed=1)
    for channel, split in (("train", "train"), ("eval", "test")):
        path = folder / "inputs" / channel / "rows.jsonl"
        path.parent.mkdir(parents=True)
        lines = [json.dumps({"messages": row["messages"]}) for row in rows if row["split"] == split]
        path.write_text("\n".join(lines) + "\n")
    (folder / "spec.json").write_text(spec.to_json())
    return folder


def _train(engine: str, peer: Path, folder: Path) -> dict[str, float]:
    """The figures of one training."""
    python = sys.executable if engine == "lorakit" else peer
    result = folder / "figures.json"
    subprocess.run(
        [python, "-m", "bench.train_once", engine, folder, result],
        cwd=ROOT,
        env=os.environ | {"OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=True,
    )
    figures: dict[str, float] = json.loads(result.read_text())
    return figures


if __name__ == "__main__":
    sys.exit(main())
