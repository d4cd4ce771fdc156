"""The Trainer's callback: emits events, handles cancellation, marks checkpoints."""

import math
import time
from pathlib import Path
from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from lorakit.contracts import TrainSpec
from lorakit.errors import RunError
from lorakit.rundir import Run
from lorakit.train.checkpoints import mark_complete


class Progress(TrainerCallback):
    """Reports every logged step and stops the training when the run is cancelled."""

    def __init__(self, run: Run[TrainSpec], work: str) -> None:
        self.run = run
        self.work = work
        self.last_loss = math.nan
        self.last_eval_loss = math.nan
        self._started = self._logged = time.monotonic()
        self._seconds_before = 0.0
        self._first_step = self._logged_tokens = 0

    @property
    def seconds(self) -> float:
        """Seconds of training so far, including those of earlier attempts up to their checkpoint's last log."""
        return self._seconds_before + time.monotonic() - self._started

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Start the clock, and continue steps and losses from the checkpoint."""
        for entry in state.log_history:
            self.last_loss = entry.get("loss", self.last_loss)
            self.last_eval_loss = entry.get("eval_loss", self.last_eval_loss)
            self._seconds_before = entry.get("train_seconds", self._seconds_before)
        self._started = self._logged = time.monotonic()
        self._first_step = state.global_step
        self._logged_tokens = state.num_input_tokens_seen

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, float] | None = None,
        **kwargs: Any,
    ) -> None:
        """Emit a metric event. The closing summary is left out, because its mean loss is wrong after a resume."""
        logs = logs or {}
        if "loss" not in logs and "eval_loss" not in logs:
            return
        # Logged values are saved with the next checkpoint.
        state.log_history[-1]["train_seconds"] = round(self.seconds, 1)
        now, total = time.monotonic(), max(state.max_steps, 1)
        fields: dict[str, float | None] = {
            "loss": logs.get("loss"),
            "eval_loss": logs.get("eval_loss"),
            "learning_rate": logs.get("learning_rate"),
        }
        if done := state.global_step - self._first_step:
            left = total - state.global_step
            fields["eta_seconds"] = round((now - self._started) / done * left, 1)
        if "loss" in logs:
            if not math.isfinite(logs["loss"]):
                text = "The loss is not a number any more. Train again with a lower learning rate."
                raise RunError("training:diverged", text)
            self.last_loss = logs["loss"]
            tokens = state.num_input_tokens_seen - self._logged_tokens
            fields["tokens_per_second"] = round(tokens / max(now - self._logged, 1e-3), 1)
            self._logged, self._logged_tokens = now, state.num_input_tokens_seen
        else:
            self.last_eval_loss = logs["eval_loss"]
        fraction = min(1.0, round(state.global_step / total, 4))
        self.run.emit("metric", step=state.global_step, total=total, fraction=fraction, **fields)

    def on_evaluate(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        """Exclude the evaluation from the training time."""
        self._logged, self._logged_tokens = time.monotonic(), state.num_input_tokens_seen

    def on_save(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        """Mark the checkpoint, whose files are all written when this is called."""
        if state.is_world_process_zero:
            mark_complete(Path(str(args.output_dir)) / f"checkpoint-{state.global_step}", self.work)
            self.run.emit("checkpoint", step=state.global_step)

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        """Log the last step's loss in any case; on cancellation, save a checkpoint to resume from."""
        if state.global_step >= state.max_steps:
            control.should_log = True
        if self.run.cancelled():
            control.should_save = True
            control.should_training_stop = True
