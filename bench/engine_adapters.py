"""Adapters for the engine's benchmark: one trained for a few steps with varied copies, or random ones for any base."""

import json
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import nn
from transformers import PreTrainedModel

from bench.engine_bases import TINY
from lorakit.contracts import TrainSpec
from lorakit.package import CONFIG, PACKAGE, WEIGHTS, check_directory, pack, unpack
from lorakit.rundir import Run
from lorakit.serve.adapters.pool import StoredAdapter
from lorakit.train.training import train
from portal.demo.datasets import demo_rows

RANK = 16

Weights = dict[str, torch.Tensor]


def trained(folder: Path, count: int) -> list[StoredAdapter]:
    """An adapter of the tiny base trained for a few steps, and copies of it with a little noise."""
    run_folder = folder / "run"
    (run_folder / "inputs" / "train").mkdir(parents=True)
    spec = TrainSpec(base_model=str(TINY), base_id="tiny-llama", max_steps=60, learning_rate=5e-3)
    rows = demo_rows("support", train=400, test=0, unseen=0, seed=1)
    lines = "".join(f"{json.dumps({'messages': row['messages']})}\n" for row in rows)
    (run_folder / "inputs" / "train" / "rows.jsonl").write_text(lines)
    run = Run(run_folder, spec, area="training")
    train(run)
    unpack(run.output / PACKAGE, folder / "trained")
    weights = load_file(folder / "trained" / WEIGHTS)
    config = (folder / "trained" / CONFIG).read_text()
    return [stored(folder, number, noisy(weights, number), config) for number in range(count)]


def noisy(weights: Weights, number: int) -> Weights:
    """A copy of weights with noise of its own."""
    generator = torch.Generator().manual_seed(number)
    return {
        name: tensor + 0.02 * number * tensor.std() * torch.randn(tensor.shape, generator=generator)
        for name, tensor in weights.items()
    }


def random(folder: Path, model: PreTrainedModel, count: int) -> list[StoredAdapter]:
    """Adapters of all linear layers with random weights, small enough for sensible answers."""
    output = model.get_output_embeddings()  # type: ignore[no-untyped-call]
    layers = {
        name: module for name, module in model.named_modules() if isinstance(module, nn.Linear) and module is not output
    }
    config = {
        "peft_type": "LORA",
        "task_type": "CAUSAL_LM",
        "base_model_name_or_path": "base",
        "r": RANK,
        "lora_alpha": RANK,
        "target_modules": sorted({name.rpartition(".")[2] for name in layers}),
    }
    adapters = []
    for number in range(count):
        generator = torch.Generator().manual_seed(number)
        weights = {}
        for name, layer in layers.items():
            for side, shape in (("A", (RANK, layer.in_features)), ("B", (layer.out_features, RANK))):
                drawn = 0.01 * torch.randn(shape, generator=generator)
                weights[f"base_model.model.{name}.lora_{side}.weight"] = drawn.bfloat16()
        adapters.append(stored(folder, number, weights, json.dumps(config)))
    return adapters


def stored(folder: Path, number: int, weights: Weights, config: str) -> StoredAdapter:
    """The adapter, packed and unpacked as a customer's is."""
    source = folder / f"source-{number}"
    source.mkdir(parents=True)
    save_file(weights, source / WEIGHTS, metadata={"format": "pt"})
    (source / CONFIG).write_text(config)
    package = folder / f"{number}.tar.gz"
    sha256 = pack(source, package)
    directory = folder / f"adapter-{number}"
    unpack(package, directory)
    checked, modules, _ = check_directory(directory)
    return StoredAdapter(sha256, directory, checked, modules)
