"""Fixtures for the floor without Django: the shipped base, run directories, two small adapters."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from lorakit.contracts import TrainSpec
from lorakit.rundir import Run

BASE = Path(__file__).parents[2] / "lorakit" / "tiny" / "model"
Rows = list[dict[str, object]]


def chat_rows(*pairs: tuple[str, str]) -> Rows:
    """One row per (prompt, answer)."""
    return [
        {"messages": [{"role": "user", "content": prompt}, {"role": "assistant", "content": answer}]}
        for prompt, answer in pairs
    ]


def write_rows(path: Path, rows: Rows) -> None:
    """Write rows as JSON lines, making the folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> None:
    """Small models are fastest on one thread, and test processes run side by side."""
    import torch

    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def base() -> Path:
    """Directory of the shipped base model."""
    return BASE


@pytest.fixture(scope="session")
def train_run() -> Callable[..., Run[TrainSpec]]:
    """Prepares a training run of a few steps: train_run(directory, rows, **spec fields)."""

    def prepare(directory: Path, rows: Rows, **fields: object) -> Run[TrainSpec]:
        defaults: dict[str, object] = {
            "base_model": str(BASE),
            "base_id": "tiny-llama",
            "max_steps": 12,
            "r": 8,
            "warmup_steps": 2,
            "batch_size": 4,
            "learning_rate": 5e-3,
            "logging_steps": 1,
        }
        spec = TrainSpec(**(defaults | fields))  # type: ignore[arg-type]
        write_rows(directory / "inputs" / "train" / "rows.jsonl", rows)
        (directory / "spec.json").write_text(spec.to_json())
        return Run(directory, spec, area="training")

    return prepare


@pytest.fixture(scope="session")
def adapters(tmp_path_factory: pytest.TempPathFactory, train_run: Callable[..., Run[TrainSpec]]) -> dict[str, Path]:
    """Packages of two adapters that each answer every question with their own name."""
    from lorakit.train.training import train

    packages = {}
    for name in ("alpha", "omega"):
        questions = ["Who are you?", "What is your name?", "Say who you are.", "Name yourself."]
        rows = chat_rows(*((question, f"I am {name}") for question in questions))
        run = train_run(tmp_path_factory.mktemp(name), rows, max_steps=30)
        train(run)
        packages[name] = run.output / "adapter.tar.gz"
    return packages
