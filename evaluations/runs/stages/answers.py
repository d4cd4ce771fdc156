"""Answers of an evaluation's models: which are known, which are missing, and how they are stored."""

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, fields, replace
from decimal import Decimal
from itertools import islice
from typing import TypeVar

from evaluations.models import Answer, EvaluatedModel, EvaluationItem, EvaluationRun
from evaluations.texts import storable

PROTOCOL = 1
"""Part of what identifies an answer; raise it when the same model would be asked otherwise."""

BATCH = 500

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Given:
    """What a model answered. `log_probability` is of the whole answer, `usd` what an outside model took for it.

    `examples` is how many training rows stood in its prompt. None where it is not known. `error` says why there is no
    answer, as the kind of a JudgeError.
    """

    text: str
    log_probability: float | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    examples: int | None = None
    seconds: float | None = None
    usd: Decimal | None = None
    error: str = ""


GIVEN = [field.name for field in fields(Given)]


def answer_key(model: EvaluatedModel, item: EvaluationItem, *, max_tokens: int) -> str:
    """Identifies what computes an answer: the same model, prompt and sampling give the same one."""
    parts = [PROTOCOL, model.sha256, item.prompt_sha256, max_tokens]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def take_known(run: EvaluationRun) -> None:
    """Give the run the answers that its models gave in earlier evaluations. May run again."""
    models = list(run.models.all())
    for items in parts(EvaluationItem.objects.filter(run=run).only("id", "prompt_sha256").iterator(BATCH)):
        wanted: dict[str, list[tuple[EvaluationItem, EvaluatedModel]]] = defaultdict(list)
        for item in items:
            for model in models:
                wanted[answer_key(model, item, max_tokens=run.answer_tokens)].append((item, model))
        earlier = (
            Answer.objects.filter(key__in=wanted, error="").exclude(model__in=models).order_by("key").distinct("key")
        )
        _create(
            # Nothing is paid for it again.
            _answer(run, model, item, replace(Given(**{name: getattr(answer, name) for name in GIVEN}), usd=None))
            for answer in earlier
            for item, model in wanted[answer.key]
        )


def store(run: EvaluationRun, model: EvaluatedModel, given: Iterable[tuple[EvaluationItem, Given]]) -> None:
    """Store answers of one model. Ones that are there already stay."""
    for part in parts(given):
        _create(_answer(run, model, item, answer) for item, answer in part)


def unanswered_by(models: Iterable[EvaluatedModel]) -> dict[EvaluatedModel, int]:
    """How many rows each model has not answered yet, of those that have such rows."""
    found = {}
    for model in models:
        rows = EvaluationItem.objects.filter(run=model.run_id).count()
        if left := rows - Answer.objects.filter(model=model).count():
            found[model] = left
    return found


def unanswered(model: EvaluatedModel) -> Iterator[EvaluationItem]:
    """Rows that the model has not answered yet, in order."""
    # Compared here: a database that has no statistics yet of rows this new would look each of them up.
    answered = set(Answer.objects.filter(model=model).values_list("item_id", flat=True))
    for item in EvaluationItem.objects.filter(run=model.run_id).order_by("position").iterator(BATCH):
        if item.id not in answered:
            yield item


def parts(rows: Iterable[T], size: int = BATCH) -> Iterator[list[T]]:
    """The rows in lists of at most `size`."""
    rest = iter(rows)
    while part := list(islice(rest, size)):
        yield part


def _answer(run: EvaluationRun, model: EvaluatedModel, item: EvaluationItem, given: Given) -> Answer:
    values = asdict(replace(given, text=storable(given.text)))
    key = answer_key(model, item, max_tokens=run.answer_tokens)
    return Answer(tenant_id=run.tenant_id, item=item, model=model, key=key, **values)


def _create(answers: Iterable[Answer]) -> None:
    Answer.objects.bulk_create(answers, batch_size=BATCH, ignore_conflicts=True)
