"""What rank, alpha, layers and rows do to an adapter of SmolLM2, on the demo's two datasets in real English.

`make bench-recipes`. One setting at a time differs from the usual one: rank 16, alpha twice that, all linear layers,
300 rows (or all of them), three epochs, learning rate 1e-3. Each is trained `RECIPES_SEEDS` times (3) with other rows
and another start, and answers all held-out rows. A run takes one to four minutes of one core; what was run is kept in
var/bench/recipes-runs.jsonl, so that the benchmark goes on where it was stopped. `RECIPES_TASKS` chooses of "support"
and "law".
"""

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from bench.report import ROOT, Goal, finish
from scripts.base_smollm2 import smollm2

SEEDS = int(os.environ.get("RECIPES_SEEDS", "3"))
TASKS = os.environ.get("RECIPES_TASKS", "support law").split()
GOALS: dict[str, Goal] = {"support_gain": (">=", 0.60), "law_gain": (">=", 0.60)}


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """One training. Rank 0 is the base itself."""

    task: str
    seed: int = 0
    rank: int = 16
    alpha: int = 32
    modules: str = "all"
    rows: int = 300
    epochs: float = 3.0
    learning_rate: float = 1e-3


VARIANTS: dict[str, dict[str, Any]] = {
    "usual": {},
    "rank_8": {"rank": 8, "alpha": 16},
    "rank_32": {"rank": 32, "alpha": 64},
    "alpha_r": {"alpha": 16},
    "alpha_4r": {"alpha": 64},
    "attention": {"modules": "attention"},
    "value_and_output": {"modules": "value_and_output"},
    # Fewer numbers are trained, which may need larger steps.
    "value_and_output_lr_2e-3": {"modules": "value_and_output", "learning_rate": 2e-3},
    "rows_75": {"rows": 75},
    "rows_150": {"rows": 150},
    # Few rows, read as many times as makes 648 of them, but 20 times at most.
    "rows_75_epochs_9": {"rows": 75, "epochs": 9.0},
    "rows_30": {"rows": 30},
    "rows_30_epochs_20": {"rows": 30, "epochs": 20.0},
}


def runs() -> Iterator[tuple[str, Wanted]]:
    """(name, what) of every run, the first seed of all of them first."""
    for task in TASKS:
        yield f"{task}_base", Wanted(task=task, rank=0)
    for seed in range(SEEDS):
        for task in TASKS:
            for name, changes in VARIANTS.items():
                yield f"{task}_{name}", replace(Wanted(task=task, seed=seed), **changes)


class Kept:
    """What earlier runs found, by what was wanted."""

    def __init__(self, path: Path) -> None:
        self._path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        lines = path.read_text().splitlines() if path.exists() else []
        self._found = {json.dumps(one["wanted"]): one["figures"] for one in map(json.loads, lines)}

    def get(self, wanted: Wanted) -> dict[str, float] | None:
        found: dict[str, float] | None = self._found.get(json.dumps(asdict(wanted)))
        return found

    def add(self, wanted: Wanted, figures: dict[str, float]) -> None:
        with self._path.open("a") as file:
            file.write(json.dumps({"wanted": asdict(wanted), "figures": figures}) + "\n")


def main() -> int:
    """Run what is missing and report."""
    folder = smollm2()
    kept = Kept(Path(os.environ.get("PORTAL_VAR", ROOT / "var")) / "bench" / "recipes-runs.jsonl")
    found: dict[str, list[dict[str, float]]] = {}
    for name, wanted in runs():
        figures = kept.get(wanted)
        if figures is None:
            figures = _once(wanted, folder)
            kept.add(wanted, figures)
            print(name, wanted.seed, figures, flush=True)
        found.setdefault(name, []).append(figures)
    report: dict[str, float] = {}
    for name, all_seeds in found.items():
        shares = [one["exact_match"] for one in all_seeds]
        report[name] = statistics.mean(shares)
        if len(shares) > 1:
            report[f"{name}_spread"] = max(shares) - min(shares)
        if "train_seconds" in all_seeds[0]:
            report[f"{name}_train_seconds"] = statistics.mean(one["train_seconds"] for one in all_seeds)
            report[f"{name}_megabytes"] = all_seeds[0]["bytes"] / 1e6
    for task in TASKS:
        report[f"{task}_gain"] = report[f"{task}_usual"] - report[f"{task}_base"]
    goals = {name: goal for name, goal in GOALS.items() if name in report}
    return finish("recipes", figures=report, goals=goals, packages=["torch", "transformers", "peft", "bitsandbytes"])


def _once(wanted: Wanted, folder: Path) -> dict[str, float]:
    command = [sys.executable, "-m", "bench.recipes_once", str(folder), json.dumps(asdict(wanted))]
    done = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
    figures: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return figures


if __name__ == "__main__":
    sys.exit(main())
