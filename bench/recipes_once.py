"""One run for bench/recipes.py: python -m bench.recipes_once BASE SETTINGS, whose JSON is a `recipes.Wanted`'s."""

import json
import os
import random
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")

from bench.train_once import time_training
from lorakit.contracts import GenerateSpec, TrainSpec
from lorakit.generate.generation import PREDICTIONS, generate
from lorakit.package import PACKAGE
from lorakit.rundir import Run
from lorakit.train.training import train
from portal.demo.corpora import written_rows

MODULES: dict[str, Any] = {
    "all": "all-linear",
    "attention": ("q_proj", "k_proj", "v_proj", "o_proj"),
    "value_and_output": ("v_proj", "o_proj"),
}


def lines(rows: list[dict[str, Any]]) -> str:
    return "".join(f"{json.dumps({'id': str(number)} | row)}\n" for number, row in enumerate(rows))


def trained(folder: Path, base: Path, wanted: dict[str, Any], rows: list[dict[str, Any]]) -> dict[str, float]:
    """Train; processor seconds, the last loss, and the package's bytes."""
    figures: dict[str, float] = {}
    time_training(figures)
    (folder / "inputs" / "train").mkdir(parents=True)
    (folder / "inputs" / "train" / "rows.jsonl").write_text(lines(rows))
    spec = TrainSpec(
        base_model=str(base),
        base_id="smollm2",
        r=wanted["rank"],
        alpha=wanted["alpha"],
        target_modules=MODULES[wanted["modules"]],
        epochs=wanted["epochs"],
        learning_rate=wanted["learning_rate"],
        seed=wanted["seed"],
    )
    train(Run(folder, spec, area="training"))
    return {
        "train_seconds": figures["cpu_seconds"],
        "loss": figures["train_loss"],
        "bytes": float((folder / "output" / PACKAGE).stat().st_size),
    }


def right(folder: Path, base: Path, package: Path | None, rows: list[dict[str, Any]]) -> float:
    """The share of held-out rows that are answered with exactly the reference."""
    target = "adapter" if package else "base"
    (folder / "inputs" / "prompts").mkdir(parents=True)
    (folder / "inputs" / "prompts" / "rows.jsonl").write_text(lines(rows))
    if package:
        (folder / "inputs" / target).mkdir()
        (folder / "inputs" / target / PACKAGE).write_bytes(package.read_bytes())
    spec = GenerateSpec(base_model=str(base), targets=(target,), max_new_tokens=32, batch_size=16)
    generate(Run(folder, spec, area="generation"))
    answers: dict[str, str] = {
        one["id"]: one["text"].strip()
        for one in map(json.loads, (folder / "output" / PREDICTIONS).read_text().splitlines())
    }
    hits: list[bool] = [answers[str(number)] == row["messages"][-1]["content"] for number, row in enumerate(rows)]
    return sum(hits) / len(hits)


def main() -> None:
    """Run once and print the figures."""
    base, wanted = Path(sys.argv[1]), json.loads(sys.argv[2])
    rows = written_rows(wanted["task"])
    held_out = [{"messages": row["messages"]} for row in rows if row["split"] == "test"]
    known = [{"messages": row["messages"]} for row in rows if row["split"] == "train"]
    chosen = random.Random(wanted["seed"]).sample(known, min(wanted["rows"], len(known)))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        figures: dict[str, float] = {}
        package = None
        if wanted["rank"]:
            figures = trained(folder / "training", base, wanted, chosen)
            package = folder / "training" / "output" / PACKAGE
        started = time.process_time()
        figures["exact_match"] = right(folder / "answers", base, package, held_out)
        figures["answer_seconds"] = time.process_time() - started
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
