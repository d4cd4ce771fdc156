"""Writes a training's output: the adapter's package, and the manifest of what it was made from."""

import time
from pathlib import Path

import torch
from peft import PeftModel

from lorakit.contracts import TrainManifest, TrainSpec
from lorakit.digest import base_sha256, file_sha256
from lorakit.package import PACKAGE, pack
from lorakit.rundir import Run, write_atomically
from lorakit.train.history import read_history
from lorakit.train.provenance import describe_code, describe_processor, describe_rows, describe_versions

MANIFEST = "manifest.json"


def package(run: Run[TrainSpec], model: PeftModel, base: Path, metrics: dict[str, float]) -> None:
    """Write the adapter's package and its manifest to output/."""
    folder = run.checkpoints / "adapter"
    model.save_pretrained(str(folder))
    sha256 = pack(folder, run.output / PACKAGE, run.spec.base_id)
    channels = {channel: run.input(channel, "rows.jsonl") for channel in ("train", "eval")}
    present = {channel: path for channel, path in channels.items() if path.is_file()}
    history = read_history(run.checkpoints)
    cuda = {"cuda": str(torch.version.cuda)} if torch.cuda.is_available() else {}
    manifest = TrainManifest(
        spec=run.spec,
        versions=describe_versions() | cuda,
        base_sha256=base_sha256(base),
        data_sha256={channel: file_sha256(path) for channel, path in present.items()},
        adapter_sha256=sha256,
        metrics=metrics,
        rows={channel: describe_rows(path) for channel, path in present.items()},
        code=describe_code(),
        seeds={"weights": run.spec.seed, "order": run.spec.seed},
        device=describe_device(),
        started_at=round(history.started_at, 3),
        ended_at=round(time.time(), 3),
        resumed_from=history.resumed_from,
    )
    write_atomically(run.output / MANIFEST, manifest.to_json() + "\n")


def describe_device() -> str:
    """The device of the training: the GPU, or the processor with the instruction set that torch uses."""
    if torch.cuda.is_available():
        return f"{torch.cuda.get_device_name()} x {torch.cuda.device_count()}"
    return f"{describe_processor()}, {torch.backends.cpu.get_cpu_capability()}"
