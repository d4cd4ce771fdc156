"""Generates the answers of the base and any number of adapters to the same prompts.

Decoding is greedy and uses the server's slots and decode loop, so an evaluation gets the answers of the endpoint. Rows
of different targets share batches.
"""

import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from transformers import PreTrainedModel, PreTrainedTokenizerFast

from lorakit.base import check_base, context_in, context_length, end_token_ids, load_for_serving, load_tokenizer
from lorakit.contracts import GenerateSpec, Prediction
from lorakit.generate.adapters import check_adapters, in_slots, stage_adapters, turns
from lorakit.generate.answers import Answers, answers_path
from lorakit.generate.progress import Progress
from lorakit.generate.prompts import Prompts, load_prompts
from lorakit.rundir import Run
from lorakit.serve.adapters.pool import SlotPool, StoredAdapter
from lorakit.serve.steps.decode import DecodeBatch, decode_each
from lorakit.serve.steps.sequences import Sequence
from lorakit.threads import use_threads

PREDICTIONS = "predictions.jsonl"
SLOTS = 4
"""Adapters in memory at once. A slot takes the memory of the largest rank; more adapters than this take turns."""


@dataclass(eq=False)
class Question(Sequence):
    """A prompt put to one target."""

    row_id: str = ""
    target: str = ""


def generate(run: Run[GenerateSpec]) -> dict[str, float]:
    """Write output/predictions.jsonl. Returns counts and seconds."""
    started = time.monotonic()
    use_threads(run.spec.threads)
    run.phase("loading")
    # In the run's own folder, so that what a killed run leaves goes with it.
    with tempfile.TemporaryDirectory(dir=run.directory, prefix="scratch-") as name:
        scratch = Path(name)
        base = check_base(run.spec.base_model)
        tokenizer = load_tokenizer(base)
        context = context_in(base)
        with closing(load_prompts(run, tokenizer, scratch / "prompts", context=context)) as prompts:
            stored = stage_adapters(run, scratch)
            with closing(Answers(answers_path(run), prompts.ids, run.spec.targets)) as answers:
                answer_all(run, load_for_serving(base), tokenizer, prompts, stored, answers)
                answers.write(run.output / PREDICTIONS)
                return {
                    "rows": float(len(prompts)),
                    "answers": float(answers.count),
                    "completion_tokens": float(answers.tokens),
                    "seconds": round(time.monotonic() - started, 1),
                }


def answer_all(
    run: Run[GenerateSpec],
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerFast,
    prompts: Prompts,
    stored: Mapping[str, StoredAdapter],
    answers: Answers,
) -> None:
    """Add every answer that is missing."""
    ranks = [adapter.config.rank for adapter in stored.values()]
    pool = SlotPool(model, slots=min(len(stored), SLOTS), max_rank=max(ranks, default=1), lanes=run.spec.batch_size)
    check_adapters(pool, stored)
    batch = DecodeBatch(model, pool, end_ids=end_token_ids(model, tokenizer), log_probabilities=True)
    total = sum(map(len, prompts.targets))
    if answers.count:
        run.message(f"Continuing with {answers.count} of {total} answers of an earlier attempt.")
    context = context_length(model)
    answer_full_prompts(run, prompts, answers, context)
    progress = Progress(run, answers, total)
    run.phase("generating")
    for targets in turns(run.spec.targets, SLOTS):
        with in_slots(pool, targets, stored) as slots:
            missing = questions(prompts, answers, slots, context=context, max_tokens=run.spec.max_new_tokens)
            for question in decode_each(batch, missing, width=run.spec.batch_size, after_step=progress):
                answers.add(prediction_of(question, tokenizer, prompts.examples.get(question.row_id, 0)))
    progress.report([])


def questions(
    prompts: Prompts, answers: Answers, slots: Mapping[str, int], *, context: int, max_tokens: int
) -> Iterator[Question]:
    """What the targets in `slots` have not answered yet."""
    for number in prompts.by_length():
        row_id = prompts.ids[number]
        asked = [target for target in slots if target in prompts.targets[number] and not answers.has(row_id, target)]
        if asked:
            tokens, room = prompts.tokens(number), min(max_tokens, context - prompts.length(number))
            for target in asked:
                yield Question(tokens, slots[target], room, row_id=row_id, target=target)


def answer_full_prompts(run: Run[GenerateSpec], prompts: Prompts, answers: Answers, context: int) -> None:
    """Give prompts that leave no room for an answer an empty one, which counts as wrong, and report them."""
    full = [number for number in range(len(prompts)) if prompts.length(number) >= context and prompts.targets[number]]
    for number in full:
        for target in prompts.targets[number]:
            if not answers.has(prompts.ids[number], target):
                answers.add(
                    Prediction(
                        id=prompts.ids[number],
                        target=target,
                        text="",
                        completion_tokens=0,
                        prompt_tokens=prompts.length(number),
                        finish="length",
                    )
                )
    if full:
        run.message(f"{len(full)} prompts fill the model's context of {context} tokens and get an empty answer.")


def prediction_of(question: Question, tokenizer: PreTrainedTokenizerFast, examples: int) -> Prediction:
    """The answer to a question that is finished, which had so many examples."""
    return Prediction(
        id=question.row_id,
        target=question.target,
        text=str(tokenizer.decode(question.tokens, skip_special_tokens=True)),
        completion_tokens=len(question.tokens),
        prompt_tokens=len(question.prompt),
        finish="length" if question.finish == "length" else "stop",
        log_probability=question.log_probability,
        seconds=round(question.busy_seconds, 6),
        examples=examples,
    )
