"""One training for bench/train.py, in a separate process: python -m bench.train_once ENGINE RUN_DIR RESULT.

ENGINE is `lorakit`, our trainer; `trl`, TRL's SFTTrainer, which converts the adapter of a 4-bit base to bf16; or
`trl-fp32`, the same with the adapter kept in fp32, as in ours. All use the same model, adapter, data and settings, and
the same call is timed for all: `Trainer.train`, which they share.
"""

import json
import resource
import sys
import time
from pathlib import Path
from typing import Any

import torch
from transformers import PrinterCallback, Trainer, set_seed

from lorakit.base import load_for_training, load_tokenizer
from lorakit.contracts import TrainSpec
from lorakit.rows import read_rows
from lorakit.rundir import Run
from lorakit.train.settings import training_arguments
from lorakit.train.training import add_lora, train


def time_training(figures: dict[str, float]) -> None:
    """Make `Trainer.train` record its wall-clock and processor seconds, tokens and losses in `figures`."""
    plain = Trainer.train

    def timed(trainer: Trainer, *args: Any, **options: Any) -> Any:
        wall, processor = time.perf_counter(), time.process_time()
        output = plain(trainer, *args, **options)
        figures["wall_seconds"] = time.perf_counter() - wall
        figures["cpu_seconds"] = time.process_time() - processor
        figures["tokens"] = float(trainer.state.num_input_tokens_seen)
        log = trainer.state.log_history
        for name, key in (("train_loss", "loss"), ("eval_loss", "eval_loss")):
            seen = [entry[key] for entry in log if key in entry]
            figures.update({name: seen[-1]} if seen else {})
        return output

    Trainer.train = timed  # type: ignore[method-assign, assignment]


def run_trl(run: Run[TrainSpec], *, keep_fp32: bool) -> None:
    """Run TRL's trainer on the run's model, rows and settings."""
    from datasets import Dataset  # type: ignore[import-not-found,unused-ignore]
    from trl import SFTConfig, SFTTrainer  # type: ignore[import-not-found,unused-ignore]

    spec = run.spec
    torch.set_num_threads(spec.threads)
    set_seed(spec.seed)
    base = Path(spec.base_model)
    model = add_lora(load_for_training(base, spec.quantization), spec)
    rows = {
        channel: [{"messages": row.messages} for row in read_rows(run.input(channel, "rows.jsonl"), area="bench")]
        for channel in ("train", "eval")
    }
    settings = SFTConfig(**training_arguments(run, evaluate=True), max_length=spec.max_length, assistant_only_loss=True)
    trainer = SFTTrainer(
        model=model,
        args=settings,
        processing_class=load_tokenizer(base),
        train_dataset=Dataset.from_list(rows["train"]),
        eval_dataset=Dataset.from_list(rows["eval"][: spec.eval_rows]),
    )
    trainer.remove_callback(PrinterCallback)
    if keep_fp32:
        for parameter in model.parameters():
            if parameter.requires_grad:
                parameter.data = parameter.data.float()
    trainer.train()


def main() -> None:
    """Train once and write the figures."""
    engine, folder, result = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    run = Run(folder, TrainSpec.from_json((folder / "spec.json").read_text()), area="training")
    figures: dict[str, float] = {}
    time_training(figures)
    if engine == "lorakit":
        train(run)
    else:
        run_trl(run, keep_fp32=engine == "trl-fp32")
    figures["peak_memory_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
    result.write_text(json.dumps(figures))


if __name__ == "__main__":
    main()
