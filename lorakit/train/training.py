"""A QLoRA training: the same steps on a CPU with a tiny base and on GPUs with a large one."""

import hashlib
import math
import time
from dataclasses import replace
from inspect import signature
from pathlib import Path
from typing import Any

import msgspec
import torch
from peft import (
    LoraConfig,
    PeftModel,
    get_peft_model,
    load_peft_weights,
    prepare_model_for_kbit_training,
    set_peft_model_state_dict,
)
from transformers import (
    PreTrainedModel,
    PreTrainedTokenizerFast,
    PrinterCallback,
    Trainer,
    TrainerState,
    TrainingArguments,
    set_seed,
)
from transformers.trainer import TRAINER_STATE_NAME

from lorakit.base import check_base, context_length, load_for_training, load_tokenizer
from lorakit.contracts import TrainSpec, encode
from lorakit.digest import file_sha256
from lorakit.errors import RunError
from lorakit.rows import read_rows
from lorakit.rundir import Run
from lorakit.threads import use_threads
from lorakit.train.checkpoints import find_resumable, step_of
from lorakit.train.examples import Collator, Encoded, Example, encode_rows
from lorakit.train.history import note_attempt
from lorakit.train.order import OrderByLength
from lorakit.train.packaging import package
from lorakit.train.progress import Progress
from lorakit.train.settings import training_arguments


def train(run: Run[TrainSpec]) -> dict[str, float]:
    """Train an adapter and write it to output/adapter.tar.gz, with a manifest. Returns the final metrics."""
    # The manifest says how many they were.
    run.spec = spec = replace(run.spec, threads=use_threads(run.spec.threads))
    set_seed(spec.seed)
    started = time.monotonic()
    run.phase("loading")
    base = check_base(spec.base_model)
    tokenizer = load_tokenizer(base)
    encoded = load_examples(run, tokenizer)
    held_out = load_held_out(run, tokenizer)
    run.check_cancelled()
    try:
        model = add_lora(load_for_training(base, spec.quantization), spec)
        metrics = fit(run, model, tokenizer, encoded.examples, held_out)
    except (torch.OutOfMemoryError, RuntimeError) as error:
        if not out_of_memory(error):
            raise
        text = "The training ran out of memory. Lower the batch size or the maximum length."
        raise RunError("training:out_of_memory", text) from None
    metrics |= {
        "rows": float(encoded.rows),
        "rows_too_long": float(encoded.too_long),
        "rows_untaught": float(encoded.untaught),
        "examples": float(len(encoded.examples)),
        "seconds": round(time.monotonic() - started, 1),
    }
    if run.leader:
        run.phase("packaging")
        package(run, model, base, metrics)
    return metrics


def load_examples(run: Run[TrainSpec], tokenizer: PreTrainedTokenizerFast) -> Encoded:
    """The training examples. Raises RunError if there are none, and reports the rows that are left out."""
    path, limit = run.input("train", "rows.jsonl"), run.spec.max_length
    if not path.is_file():
        raise RunError("training:no_rows", "There are no training rows. Choose a dataset that has some.")
    encoded = encode_rows(tokenizer, read_rows(path, area="training"), limit, learn=run.spec.learn)
    if not encoded.examples:
        raise nothing_to_learn(encoded, run.spec)
    total = encoded.rows + encoded.too_long + encoded.untaught
    if encoded.too_long:
        run.message(f"{encoded.too_long} of {total} rows are longer than {limit} tokens and were left out.")
    if encoded.untaught:
        run.message(f"{encoded.untaught} of {total} rows have no answer to learn (weight 0) and were left out.")
    if len(encoded.examples) > encoded.rows:
        text = "The base model's chat template changes earlier turns, so each answer is learnt on its own: "
        run.message(f"{text}{encoded.rows} rows became {len(encoded.examples)} examples.")
    return encoded


def nothing_to_learn(encoded: Encoded, spec: TrainSpec) -> RunError:
    """Why no row can be used, and what to do."""
    if encoded.too_long:
        text = f"All {encoded.too_long} rows have more than {spec.max_length} tokens."
        return RunError("training:rows_too_long", f"{text} Raise the maximum length or shorten them.")
    if encoded.untaught:
        which = "last answers" if spec.learn == "last_answer" else "answers"
        choice = "Choose to learn every answer, or use" if spec.learn == "last_answer" else "Use"
        text = f"The {which} of all {encoded.untaught} rows have weight 0. {choice} rows with answers to learn."
        return RunError("training:nothing_to_learn", text)
    return RunError("training:no_rows", "The training split is empty. Choose a dataset that has rows.")


def load_held_out(run: Run[TrainSpec], tokenizer: PreTrainedTokenizerFast) -> list[Example]:
    """The examples for the evaluation loss; may be empty."""
    path, spec = run.input("eval", "rows.jsonl"), run.spec
    if not spec.eval_rows or not path.is_file():
        return []
    rows = read_rows(path, area="training")
    return encode_rows(tokenizer, rows, spec.max_length, learn=spec.learn, at_most=spec.eval_rows).examples


def add_lora(model: PreTrainedModel, spec: TrainSpec) -> PeftModel:
    """Freeze the base and add trainable adapters to its layers."""
    if spec.max_length > context_length(model):
        text = f"This base model reads at most {context_length(model)} tokens. Lower the maximum length to that."
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
        text = f"The base model does not have the layers {targets}. Choose all-linear or layers that it has."
        raise RunError("training:bad_targets", text) from None


def fit(
    run: Run[TrainSpec],
    model: PeftModel,
    tokenizer: PreTrainedTokenizerFast,
    examples: list[Example],
    held_out: list[Example],
) -> dict[str, float]:
    """Run the Trainer to the end, from the newest complete checkpoint if there is one."""
    work = identify_work(run)
    progress = Progress(run, work)
    settings = TrainingArguments(**training_arguments(run, evaluate=bool(held_out)))
    # One process with several GPUs would split a batch's list of columns among them, as if they were rows.
    answers_only = keeps_logits(model) and settings.n_gpu <= 1
    trainer = OrderedTrainer(
        model=model,
        args=settings,
        train_dataset=examples,
        eval_dataset=held_out or None,
        data_collator=Collator(int(tokenizer.pad_token_id), answers_only=answers_only),
        callbacks=[progress],
    )
    trainer.remove_callback(PrinterCallback)
    resumable = find_resumable(run.checkpoints, work)
    step = None if resumable is None else step_of(resumable)
    if step is not None:
        run.message(f"Resuming from step {step}.")
    if run.leader:
        note_attempt(run.checkpoints, work, step)
    run.phase("training")
    if resumable is None or not take_up_finished(trainer, progress, resumable):
        trainer.train(resume_from_checkpoint=str(resumable) if resumable else None)
    run.check_cancelled()
    metrics = {
        "steps": float(trainer.state.global_step),
        "train_loss": progress.last_loss,
        "tokens": float(trainer.state.num_input_tokens_seen),
        "train_seconds": round(progress.seconds, 1),
    }
    if held_out:
        run.phase("evaluating")
        trainer.evaluate()
        metrics["eval_loss"] = progress.last_eval_loss
    return {name: value for name, value in metrics.items() if math.isfinite(value)}


class OrderedTrainer(Trainer):
    """A Trainer that reads examples of like length together."""

    def _get_train_sampler(self, train_dataset: Any = None) -> OrderByLength:
        step = self.args.train_batch_size * self.args.gradient_accumulation_steps * self.args.world_size
        examples: Any = train_dataset or self.train_dataset
        return OrderByLength(examples, step=step, seed=self.args.seed)


def take_up_finished(trainer: Trainer, progress: Progress, checkpoint: Path) -> bool:
    """Take weights and state from a checkpoint saved after the last step; False if there are steps left to train.

    From such a checkpoint the Trainer itself would do one step too many, unless the last step ended an epoch.
    """
    state = TrainerState.load_from_json(str(checkpoint / TRAINER_STATE_NAME))
    if state.global_step < state.max_steps:
        return False
    set_peft_model_state_dict(trainer.model, load_peft_weights(str(checkpoint), device="cpu"))
    trainer.state = state
    progress.on_train_begin(trainer.args, state, trainer.control)
    return True


def keeps_logits(model: PeftModel) -> bool:
    """Whether the base can compute logits for only some columns; a few architectures cannot."""
    return "logits_to_keep" in signature(model.get_base_model().forward).parameters


def identify_work(run: Run[TrainSpec]) -> str:
    """A hash of the specification and the training rows; a checkpoint is only valid for the same work.

    The base model's folder and the number of threads are not part of it, because they differ between machines. Nor is
    `learn` where it is the default, so that trainings which began before there was a choice can be resumed.
    """
    rows = file_sha256(run.input("train", "rows.jsonl"))
    fields: dict[str, object] = msgspec.to_builtins(replace(run.spec, base_model="", threads=1))
    if fields["learn"] == "every_answer":
        del fields["learn"]
    return hashlib.sha256(f"{encode(fields)}\n{rows}".encode()).hexdigest()


def out_of_memory(error: BaseException) -> bool:
    """Whether an error from torch means that memory ran out, on a GPU or on the CPU."""
    if isinstance(error, torch.OutOfMemoryError):
        return True
    return "out of memory" in str(error) or "can't allocate memory" in str(error)
