"""Answers of base and adapter to the same prompts: `python -m lorakit.generate --run-dir DIR`.

Decoding is greedy and uses the server's slots and decode loop, so an evaluation gets the answers of the endpoint.
"""

import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from lorakit.chat import Chat
from lorakit.contracts import GenerateSpec, Prediction
from lorakit.errors import RunError
from lorakit.package import PACKAGE, check_directory, unpack
from lorakit.rows import ChatRow, read_rows
from lorakit.rundir import Run, execute, write_atomically

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

    from lorakit.serve.decode import Sequence
    from lorakit.serve.pool import SlotPool, StoredAdapter

Target = Literal["base", "adapter"]


def generate(run: Run[GenerateSpec]) -> dict[str, float]:
    """Write output/predictions.jsonl. Returns counts and seconds."""
    import torch

    from lorakit.base import check_base, context_length, end_token_ids, load_for_inference, load_tokenizer
    from lorakit.serve.decode import DecodeBatch, decode_all
    from lorakit.serve.pool import SlotPool

    spec, started = run.spec, time.monotonic()
    torch.set_num_threads(spec.threads)
    path = run.input("prompts", "rows.jsonl")
    rows = list(read_rows(path, area="generation")) if path.is_file() else []
    if not rows:
        raise RunError("generation:no_rows", "There are no prompts. Choose a dataset that has a test split.")
    run.phase("loading")
    base = check_base(spec.base_model)
    with tempfile.TemporaryDirectory() as folder:
        adapter = stage_adapter(run, Path(folder)) if "adapter" in spec.targets else None
        tokenizer, model = load_tokenizer(base), load_for_inference(base)
        pool = SlotPool(model, slots=1, max_rank=adapter.config.rank if adapter else 1)
        slots = {target: assign_slot(pool, adapter, target) for target in spec.targets}
    work = plan(run, rows, encode_prompts(tokenizer, rows), slots, context_length(model))
    run.phase("generating")
    batch = DecodeBatch(model, pool, end_ids=end_token_ids(model, tokenizer), pad_id=int(tokenizer.pad_token_id))
    report = Progress(run, [sequence for _, _, sequence in work])
    decode_all(batch, report.sequences, width=spec.batch_size, after_step=report)
    predictions = [
        Prediction(
            id=row.id,
            target=target,
            text=str(tokenizer.decode(sequence.tokens, skip_special_tokens=True)),
            completion_tokens=len(sequence.tokens),
        )
        for row, target, sequence in work
    ]
    lines = "".join(f"{prediction.to_json()}\n" for prediction in predictions)
    write_atomically(run.output / "predictions.jsonl", lines)
    return {
        "rows": float(len(rows)),
        "completion_tokens": float(sum(prediction.completion_tokens for prediction in predictions)),
        "seconds": round(time.monotonic() - started, 1),
    }


def encode_prompts(tokenizer: "PreTrainedTokenizerFast", rows: list[ChatRow]) -> list[list[int]]:
    """Token ids of each row without its reference answer."""
    chat = Chat(tokenizer, area="generation")
    for row in rows:
        chat.check(row)
    texts = [chat.render(row.messages[:-1], row.tools, prompt=True) for row in rows]
    ids: list[list[int]] = tokenizer(texts, add_special_tokens=False)["input_ids"]
    return ids


def stage_adapter(run: Run[GenerateSpec], folder: Path) -> "StoredAdapter":
    """Check the run's adapter and unpack it."""
    from lorakit.serve.pool import StoredAdapter

    package = run.input("adapter", PACKAGE)
    if not package.is_file():
        raise RunError("generation:no_adapter", "There is no adapter to evaluate. Train one first.")
    directory = folder / "adapter"
    sha256 = unpack(package, directory).sha256
    config, modules, _ = check_directory(directory)
    return StoredAdapter(sha256, directory, config, modules)


def assign_slot(pool: "SlotPool", adapter: "StoredAdapter | None", target: Target) -> int:
    """The slot for a target's rows; loads the adapter into its slot."""
    if target == "base" or adapter is None:
        return 0
    pool.check(adapter)
    slot = pool.acquire(adapter)
    assert slot is not None  # noqa: S101 - the pool's only slot is free
    return slot


def plan(
    run: Run[GenerateSpec],
    rows: list[ChatRow],
    prompts: list[list[int]],
    slots: dict[Target, int],
    context: int,
) -> "list[tuple[ChatRow, Target, Sequence]]":
    """The sequences to decode, with their row and target.

    A prompt that leaves no room for an answer gets an empty answer, which counts as wrong, and the run reports it.
    """
    from lorakit.serve.decode import Sequence

    work: list[tuple[ChatRow, Target, Sequence]] = []
    for target, slot in slots.items():
        for row, prompt in zip(rows, prompts, strict=True):
            room = min(run.spec.max_new_tokens, context - len(prompt))
            sequence = Sequence(prompt, slot, max(room, 0))
            if room < 1:
                sequence.finish = "length"
            work.append((row, target, sequence))
    full = sum(len(prompt) >= context for prompt in prompts)
    if full:
        text = f"{full} prompts fill the model's context of {context} tokens and get an empty answer."
        run.message(text)
    return work


class Progress:
    """Called after every decode step: emits events at most once per second, and checks for cancellation."""

    def __init__(self, run: Run[GenerateSpec], sequences: "list[Sequence]") -> None:
        self.run = run
        self.total = len(sequences)
        self.sequences = [sequence for sequence in sequences if sequence.finish is None]
        self._started = self._reported = time.monotonic()

    def __call__(self) -> None:
        """Report progress."""
        self.run.check_cancelled()
        now = time.monotonic()
        unfinished = sum(sequence.finish is None for sequence in self.sequences)
        if now - self._reported < 1.0 and unfinished:
            return
        self._reported, done = now, self.total - unfinished
        tokens = sum(len(sequence.tokens) for sequence in self.sequences)
        self.run.emit(
            "metric",
            step=done,
            total=self.total,
            fraction=round(done / self.total, 4),
            tokens_per_second=round(tokens / max(now - self._started, 1e-3), 1),
            eta_seconds=round((now - self._started) / done * unfinished, 1) if done else None,
        )


if __name__ == "__main__":
    sys.exit(execute(GenerateSpec, generate, area="generation"))
