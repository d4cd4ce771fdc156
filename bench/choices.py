"""How much the probabilities of `choices` are worth: accuracy and calibration of an adapter that picks a triage line.

An adapter of the tiny base is trained on 900 tickets of the demo and asked about 200 with the wordings that it has seen
and 200 with others, each with the 17 lines that occur. The calibration error is Guo's (2017), in ten bins.
"""

import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import torch
from starlette.testclient import TestClient

from bench.engine_bases import TINY
from bench.report import Goal, finish
from lorakit.contracts import TrainSpec
from lorakit.package import PACKAGE
from lorakit.rundir import Run
from lorakit.serve.engine import Engine, Settings
from lorakit.serve.server import create_app
from lorakit.train.training import train
from portal.demo.datasets import demo_rows

BINS = 10
GOALS: dict[str, Goal] = {"seen_calibration_error": ("<=", 0.1)}
PACKAGES = ("torch", "transformers", "peft")


def trained(folder: Path, rows: list[dict[str, Any]]) -> Path:
    """The package of an adapter that was trained on these rows."""
    inputs = folder / "run" / "inputs" / "train"
    inputs.mkdir(parents=True)
    lines = "".join(f"{json.dumps({'messages': row['messages']})}\n" for row in rows)
    (inputs / "rows.jsonl").write_text(lines)
    spec = TrainSpec(base_model=str(TINY), base_id="tiny-llama", epochs=3, learning_rate=2e-3)
    run = Run(folder / "run", spec, area="training")
    train(run)
    return run.output / PACKAGE


def calibration_error(answers: list[tuple[float, bool]]) -> float:
    """Mean distance of confidence and accuracy, for pairs of a confidence and whether the answer was right."""
    bins: list[list[tuple[float, bool]]] = [[] for _ in range(BINS)]
    for confidence, is_right in answers:
        bins[min(int(confidence * BINS), BINS - 1)].append((confidence, is_right))
    return sum(abs(sum(sure - right for sure, right in members)) for members in bins) / len(answers)


def main() -> int:
    """Measure and report."""
    torch.set_num_threads(1)
    rows = demo_rows("support", train=900, test=200, unseen=200, seed=5)
    choices = sorted({row["messages"][1]["content"] for row in rows})
    figures: dict[str, float] = {"choices": len(choices)}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        package = trained(folder, [row for row in rows if row["split"] == "train"])
        (folder / "cache").mkdir()
        engine = Engine(Settings(base=str(TINY), base_id="tiny-llama", cache=folder / "cache", slots=2))
        with TestClient(create_app(engine)) as client:
            loaded = client.post("/v1/load_lora_adapter", json={"lora_name": "triage", "lora_path": str(package)})
            loaded.raise_for_status()
            for part in ("seen", "unseen"):
                answers = []
                for row in rows:
                    if (row["split"], row["slice"]) == ("test", part):
                        prompt, expected = row["messages"]
                        asked = {"model": "triage", "messages": [prompt], "choices": choices}
                        best = client.post("/v1/chat/completions", json=asked).json()["choices"][0]["choices"][0]
                        answers.append((best["probability"], best["text"] == expected["content"]))
                figures[f"{part}_accuracy"] = sum(right for _, right in answers) / len(answers)
                figures[f"{part}_confidence"] = sum(sure for sure, _ in answers) / len(answers)
                figures[f"{part}_calibration_error"] = calibration_error(answers)
    return finish("choices", figures=figures, goals=GOALS, packages=PACKAGES)


if __name__ == "__main__":
    sys.exit(main())
