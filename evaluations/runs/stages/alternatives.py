"""The stage that adds what would have needed no training: a look-up, a classifier, and the base with examples."""

import hashlib
import json

from django.db import transaction
from django.db.models import Max

from evaluations.alternatives.answering import Alternatives, Found, answer_from
from evaluations.alternatives.training_rows import TrainingRows, content_of, question_of, training_rows
from evaluations.models import ALTERNATIVES, EvaluatedModel, EvaluationItem, EvaluationRun, ModelKind
from evaluations.runs.contenders import base_sha256
from evaluations.runs.stages.answers import BATCH, Given, store
from storage.errors import ObjectMissing

NAMES = {
    ModelKind.FEW_SHOT: "Base with examples",
    ModelKind.LOOK_UP: "Look-up",
    ModelKind.CLASSIFIER: "Classifier",
}


def lacks_alternatives(run: EvaluationRun) -> bool:
    """Whether the run wants alternatives and does not have them yet."""
    return run.has_alternatives and not run.models.filter(kind__in=ALTERNATIVES).exists()


def add_alternatives(run: EvaluationRun) -> None:
    """Add the alternatives that apply, with the answers of those that ask no language model. May run again.

    A run whose version's training rows are no longer stored goes on without any. Raises EncoderError.
    """
    items = list(EvaluationItem.objects.filter(run=run).order_by("position"))
    training = _training_rows(run, items)
    if training is None or not training.rows:
        run.has_alternatives = False
        run.save(update_fields=["has_alternatives"])
        return
    found = answer_from(training, [question_of(item.messages) for item in items])
    for item, nearest, similarity in zip(items, found.nearest, found.similarities, strict=True):
        # Its copy is no example for it, yet nothing is more like it.
        copy = training.copies.get(_content(item))
        item.nearest = nearest
        item.likeness, item.most_alike = (similarity, nearest[0]) if copy is None else (1.0, copy)
    with transaction.atomic():
        EvaluationItem.objects.bulk_update(items, ["nearest", "likeness", "most_alike"], batch_size=BATCH)
        models = {model.kind: model for model in _models(run, found, training)}
        EvaluatedModel.objects.bulk_create(models.values())
        _store(run, models[ModelKind.LOOK_UP], items, found.looked_up)
        if found.classified is not None:
            _store(run, models[ModelKind.CLASSIFIER], items, found.classified)


def _training_rows(run: EvaluationRun, items: list[EvaluationItem]) -> TrainingRows | None:
    if run.version is None or not run.version.run.dataset_version.train_key:
        return None
    held_out = {_content(item) for item in items}
    try:
        return training_rows(run.version.run.dataset_version, held_out=held_out)
    except (ObjectMissing, FileNotFoundError):
        return None


def _content(item: EvaluationItem) -> str:
    return content_of(item.messages, item.tools, item.reference)


def _models(run: EvaluationRun, found: Alternatives, training: TrainingRows) -> list[EvaluatedModel]:
    assert run.base is not None  # noqa: S101 - a version has one
    kinds = [ModelKind.FEW_SHOT, ModelKind.LOOK_UP]
    if found.classified is not None:
        kinds.append(ModelKind.CLASSIFIER)
    last = run.models.aggregate(last=Max("position"))["last"]
    asked = {ModelKind.FEW_SHOT: base_sha256(run.base)}
    facts = {
        "likeness": found.likeness,
        "by_meaning": found.is_by_meaning,
        "rows": len(training.rows),
        "of": training.of,
        "left_out": training.left_out,
    }
    return [
        EvaluatedModel(
            tenant_id=run.tenant_id,
            run=run,
            position=last + 1 + number,
            key=kind.value,
            name=NAMES[kind],
            kind=kind,
            sha256=hashlib.sha256(json.dumps([kind.value, asked.get(kind, ""), found.sha256]).encode()).hexdigest(),
            facts=facts,
        )
        for number, kind in enumerate(kinds)
    ]


def _store(run: EvaluationRun, model: EvaluatedModel, items: list[EvaluationItem], found: Found) -> None:
    given = (
        Given(text=answer, prompt_tokens=0, completion_tokens=0, seconds=found.seconds) for answer in found.answers
    )
    store(run, model, zip(items, given, strict=True))
