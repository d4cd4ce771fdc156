"""One QLoRA training: the same steps on a CPU with a tiny base and on GPUs with a large one."""

import hashlib
import math
import time
from importlib.metadata import version
from pathlib import Path

import torch
from peft import LoraConfig, PeftModel, get_peft_model, prepare_model_for_kbit_training
from transformers import (
    PreTrainedModel,
    PreTrainedTokenizerFast,
    PrinterCallback,
    Trainer,
    TrainingArguments,
    set_seed,
)

from lorakit.base import check_base, context_length, load_for_training, load_tokenizer
from lorakit.contracts import TrainManifest, TrainSpec
from lorakit.digest import base_sha256, file_sha256
from lorakit.errors import RunError
from lorakit.package import PACKAGE, pack
from lorakit.rows import read_rows
from lorakit.rundir import Run, write_atomically
from lorakit.train.checkpoints import find_resumable
from lorakit.train.examples import Collator, Example, encode_rows
from lorakit.train.progress import Progress

LIBRARIES = ("torch", "transformers", "peft", "bitsandbytes", "accelerate", "safetensors", "tokenizers")


def train(run: Run[TrainSpec]) -> dict[str, float]:
    """Train an adapter into output/adapter.tar.gz, with a manifest; returns the final metrics."""
    spec = run.spec
    torch.set_num_threads(spec.threads)
    set_seed(spec.seed)
    started = time.monotonic()
    run.phase("loading")
    base = check_base(spec.base_model)
    tokenizer = load_tokenizer(base)
    examples, too_long = load_examples(run, tokenizer)
    held_out = load_held_out(run, tokenizer)
    run.check_cancelled()
    try:
        model = add_lora(load_for_training(base, spec.quantization), spec)
        metrics = fit(run, model, tokenizer, examples, held_out)
    except (torch.OutOfMemoryError, RuntimeError) as error:
        if not out_of_memory(error):
            raise
        text = "The training ran out of memory. Lower the batch size or the maximum length."
        raise RunError("training:out_of_memory", text) from None
    metrics |= {
        "rows": float(len(examples)),
        "rows_too_long": float(too_long),
        "seconds": round(time.monotonic() - started, 1),
    }
    if run.leader:
        run.phase("packaging")
        package(run, model, base, metrics)
    return metrics


def load_examples(run: Run[TrainSpec], tokenizer: PreTrainedTokenizerFast) -> tuple[list[Example], int]:
    """The training examples, and how many rows were too long to be used."""
    path, limit = run.input("train", "rows.jsonl"), run.spec.max_length
    if not path.is_file():
        raise RunError("training:no_rows", "There are no training rows. Choose a dataset that has some.")
    examples, too_long = encode_rows(tokenizer, read_rows(path, area="training"), limit)
    if too_long and not examples:
        text = f"All {too_long} rows have more than {limit} tokens. Raise the maximum length or shorten them."
        raise RunError("training:rows_too_long", text)
    if not examples:
        raise RunError("training:no_rows", "The training split is empty. Choose a dataset that has rows.")
    if too_long:
        total = too_long + len(examples)
        run.message(f"{too_long} of {total} rows are longer than {limit} tokens and were left out.")
    return examples, too_long


def load_held_out(run: Run[TrainSpec], tokenizer: PreTrainedTokenizerFast) -> list[Example]:
    """The examples that the evaluation loss is measured on; may be empty."""
    path = run.input("eval", "rows.jsonl")
    if not run.spec.eval_rows or not path.is_file():
        return []
    examples, _ = encode_rows(tokenizer, read_rows(path, area="training"), run.spec.max_length)
    return examples[: run.spec.eval_rows]


def add_lora(model: PreTrainedModel, spec: TrainSpec) -> PeftModel:
    """Freeze the base and add trainable adapters to its layers."""
    if spec.max_length > context_length(model):
        text = f"This base model reads {context_length(model)} tokens. Set the maximum length to no more."
        raise RunError("training:context_exceeded", text)
    cuda = torch.cuda.is_available()
    if spec.quantization == "nf4":
        model = prepare_model_for_kbit_training(  # type: ignore[no-untyped-call]
            model, use_gradient_checkpointing=cuda, gradient_checkpointing_kwargs={"use_reentrant": False}
        )
    targets = spec.target_modules if isinstance(spec.target_modules, str) else list(spec.target_modules)
    config = LoraConfig(
        r=spec.r,
        lora_alpha=spec.alpha,
        lora_dropout=spec.dropout,
        target_modules=targets,
        task_type="CAUSAL_LM",
        bias="none",
    )
    try:
        return get_peft_model(model, config)
    except ValueError as error:
        if "arget modules" not in str(error):
            raise
        text = f"The base model has none of the layers {targets}. Choose all-linear or layers that it has."
        raise RunError("training:bad_targets", text) from None


def arguments(run: Run[TrainSpec], evaluate: bool) -> TrainingArguments:
    """The Trainer's settings for the device at hand."""
    spec, cuda = run.spec, torch.cuda.is_available()
    return TrainingArguments(
        output_dir=str(run.checkpoints),
        num_train_epochs=spec.epochs,
        max_steps=spec.max_steps,
        per_device_train_batch_size=spec.batch_size,
        per_device_eval_batch_size=spec.batch_size,
        gradient_accumulation_steps=spec.gradient_accumulation,
        learning_rate=spec.learning_rate,
        lr_scheduler_type=spec.scheduler,
        warmup_steps=spec.warmup_steps,
        weight_decay=0.0,
        max_grad_norm=1.0,
        optim="paged_adamw_8bit" if cuda else "adamw_torch_fused",
        bf16=cuda,
        use_cpu=not cuda,
        gradient_checkpointing=cuda,
        gradient_checkpointing_kwargs={"use_reentrant": False},
        logging_steps=spec.logging_steps,
        eval_strategy="steps" if evaluate else "no",
        eval_steps=spec.eval_steps,
        save_strategy="steps",
        save_steps=spec.save_steps,
        save_total_limit=2,
        seed=spec.seed,
        data_seed=spec.seed,
        dataloader_num_workers=0,
        remove_unused_columns=False,
        label_names=["labels"],
        include_num_input_tokens_seen="non_padding",
        report_to=[],
        disable_tqdm=True,
    )


def fit(
    run: Run[TrainSpec],
    model: PeftModel,
    tokenizer: PreTrainedTokenizerFast,
    examples: list[Example],
    held_out: list[Example],
) -> dict[str, float]:
    """Run the Trainer to the end, from the newest whole checkpoint if there is one."""
    work = identify_work(run)
    progress = Progress(run, work)
    trainer = Trainer(
        model=model,
        args=arguments(run, bool(held_out)),
        train_dataset=examples,
        eval_dataset=held_out or None,
        data_collator=Collator(int(tokenizer.pad_token_id)),
        callbacks=[progress],
    )
    trainer.remove_callback(PrinterCallback)
    resumable = find_resumable(run.checkpoints, work)
    if resumable is not None:
        run.message(f"Resuming from step {resumable.name.rpartition('-')[2]}.")
    run.phase("training")
    started = time.monotonic()
    trainer.train(resume_from_checkpoint=str(resumable) if resumable else None)
    run.check_cancelled()
    metrics = {
        "steps": float(trainer.state.global_step),
        "train_loss": progress.last_loss,
        "tokens": float(trainer.state.num_input_tokens_seen),
        "train_seconds": round(time.monotonic() - started, 1),
    }
    if held_out:
        run.phase("evaluating")
        trainer.evaluate()
        metrics["eval_loss"] = progress.last_eval_loss
    return {name: value for name, value in metrics.items() if math.isfinite(value)}


def identify_work(run: Run[TrainSpec]) -> str:
    """A hash of the specification and the training rows: a checkpoint fits no other work."""
    rows = file_sha256(run.input("train", "rows.jsonl"))
    return hashlib.sha256(f"{run.spec.to_json()}\n{rows}".encode()).hexdigest()


def out_of_memory(error: BaseException) -> bool:
    """Whether an error of torch's says that memory ran out, on a GPU or on the CPU."""
    if isinstance(error, torch.OutOfMemoryError):
        return True
    return "out of memory" in str(error) or "can't allocate memory" in str(error)


def package(run: Run[TrainSpec], model: PeftModel, base: Path, metrics: dict[str, float]) -> None:
    """Write the adapter's package and its manifest into output/."""
    folder = run.checkpoints / "adapter"
    model.save_pretrained(str(folder))
    sha256 = pack(folder, run.output / PACKAGE, run.spec.base_id)
    channels = {channel: run.input(channel, "rows.jsonl") for channel in ("train", "eval")}
    manifest = TrainManifest(
        spec=run.spec,
        versions={name: version(name) for name in LIBRARIES},
        base_sha256=base_sha256(base),
        data_sha256={channel: file_sha256(path) for channel, path in channels.items() if path.is_file()},
        adapter_sha256=sha256,
        metrics=metrics,
    )
    write_atomically(run.output / "manifest.json", manifest.to_json() + "\n")
