"""The settings of transformers' Trainer for a run on this device."""

from typing import Any

import torch

from lorakit.contracts import TrainSpec
from lorakit.rundir import Run


def training_arguments(run: Run[TrainSpec], *, evaluate: bool) -> dict[str, Any]:
    """Keyword arguments of `TrainingArguments`; `evaluate` if there are held-out rows."""
    spec, cuda = run.spec, torch.cuda.is_available()
    return {
        "output_dir": str(run.checkpoints),
        "num_train_epochs": spec.epochs,
        "max_steps": spec.max_steps,
        "per_device_train_batch_size": spec.batch_size,
        "per_device_eval_batch_size": spec.batch_size,
        "gradient_accumulation_steps": spec.gradient_accumulation,
        "learning_rate": spec.learning_rate,
        "lr_scheduler_type": spec.scheduler,
        "warmup_steps": spec.warmup_steps,
        "weight_decay": 0.0,
        "max_grad_norm": 1.0,
        "optim": "paged_adamw_8bit" if cuda else "adamw_torch_fused",
        "bf16": cuda,
        "use_cpu": not cuda,
        "gradient_checkpointing": cuda,
        "gradient_checkpointing_kwargs": {"use_reentrant": False},
        "logging_steps": spec.logging_steps,
        "eval_strategy": "steps" if evaluate else "no",
        "eval_steps": spec.eval_steps,
        "save_strategy": "steps",
        "save_steps": spec.save_steps,
        "save_total_limit": 2,
        "seed": spec.seed,
        "data_seed": spec.seed,
        "dataloader_num_workers": 0,
        "remove_unused_columns": False,
        "label_names": ["labels"],
        "include_num_input_tokens_seen": "non_padding",
        "report_to": [],
        "disable_tqdm": True,
    }
