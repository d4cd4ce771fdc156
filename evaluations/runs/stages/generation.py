"""The stage in which the base and the adapters answer: what the compute backend runs, and what comes back."""

import json
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

from evaluations.alternatives.training_rows import rows_named
from evaluations.models import EvaluatedModel, EvaluationItem, EvaluationRun, ModelKind
from evaluations.runs.stages.answers import Given, store, unanswered, unanswered_by
from jobs.backends.base import ComputeSpec, InputFile
from lorakit.contracts import BASE_TARGET, GenerateSpec, Prediction
from lorakit.package import PACKAGE
from lorakit.rows import Message
from rest.errors import PortalError
from storage.errors import ObjectMissing
from storage.objects import object_key, put_file

PREDICTIONS = "predictions.jsonl"
WITH_EXAMPLES = "-examples"
"""Behind the id of a prompt that has examples, which the same model also answers without."""

ASKED = (ModelKind.BASE, ModelKind.VERSION, ModelKind.FEW_SHOT)
"""Kinds of model that the compute backend asks."""


def models_to_ask(run: EvaluationRun) -> list[EvaluatedModel]:
    """Base, with examples and without, and adapters with rows that they have not answered."""
    models = run.models.filter(kind__in=ASKED).select_related("version")
    return list(unanswered_by(models))


def generation_spec(run: EvaluationRun) -> ComputeSpec:
    """Ask what is missing: each prompt names the models that have not answered it."""
    models = models_to_ask(run)
    assert run.base is not None  # noqa: S101 - only outside models need none
    spec = GenerateSpec(
        base_model=run.base.location,
        max_new_tokens=run.answer_tokens,
        targets=tuple(dict.fromkeys(map(target_of, models))),
        # As many as the machine gives.
        threads=0,
    )
    packages = {target_of(model): model.version.package_key for model in models if model.version is not None}
    return ComputeSpec(
        module="lorakit.generate",
        spec=asdict(spec),
        inputs={
            "prompts": (InputFile(key=_store_prompts(run, models), filename="rows.jsonl"),),
            **{target: (InputFile(key=key, filename=PACKAGE),) for target, key in packages.items()},
        },
        base_uri=run.base.sagemaker_uri,
        tags={"evaluation": str(run.id)},
    )


def store_predictions(run: EvaluationRun, path: Path) -> None:
    """Store the answers of a predictions file. Raises PortalError if any is missing."""
    items = list(run.items.only("id", "position", "prompt_sha256"))
    for model in run.models.filter(kind__in=ASKED):
        asked, target = {prompt_id(model, item): item for item in items}, target_of(model)
        store(
            run,
            model,
            ((asked[one.id], _given(one)) for one in _read(path) if one.target == target and one.id in asked),
        )
    if models_to_ask(run):
        raise PortalError(
            "The model did not answer every held-out row. Evaluate again.",
            code="evaluation:answers_missing",
        )


def target_of(model: EvaluatedModel) -> str:
    """The model's name in a generation, which allows fewer characters than its key has."""
    return f"adapter-{model.position}" if model.kind == ModelKind.VERSION else BASE_TARGET


def prompt_id(model: EvaluatedModel, item: EvaluationItem) -> str:
    """The id of a row's prompt as this model is asked it."""
    return f"{item.position}{WITH_EXAMPLES if model.kind == ModelKind.FEW_SHOT else ''}"


def _given(prediction: Prediction) -> Given:
    return Given(
        text=prediction.text,
        log_probability=prediction.log_probability,
        # Files of older runs do not say how long the prompt was, and none is empty.
        prompt_tokens=prediction.prompt_tokens or None,
        completion_tokens=prediction.completion_tokens,
        examples=prediction.examples,
        seconds=prediction.seconds,
    )


def _read(path: Path) -> Iterator[Prediction]:
    with path.open("rb") as file:
        for line in file:
            yield Prediction.from_json(line)


def _store_prompts(run: EvaluationRun, models: list[EvaluatedModel]) -> str:
    asked: dict[tuple[int, str], list[str]] = defaultdict(list)
    for model in models:
        for item in unanswered(model):
            asked[item.position, prompt_id(model, item)].append(target_of(model))
    examples = _examples(run) if any(model.kind == ModelKind.FEW_SHOT for model in models) else {}
    key = object_key(run.tenant_id, "evaluations", str(run.id), "prompts.jsonl")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "prompts.jsonl"
        with path.open("w", encoding="utf-8") as file:
            for item in run.items.iterator(500):
                plain = str(item.position)
                if targets := asked.get((item.position, plain)):
                    file.write(_prompt_line(item, plain, targets))
                prompt = f"{plain}{WITH_EXAMPLES}"
                if targets := asked.get((item.position, prompt)):
                    shown = [examples[row_id] for row_id in item.nearest if row_id in examples]
                    file.write(_prompt_line(item, prompt, targets, shown))
        put_file(key, path)
    return key


def _examples(run: EvaluationRun) -> dict[str, list[Message]]:
    """{id: messages} of the training rows that stand in prompts."""
    assert run.version is not None  # noqa: S101 - only a version has training rows
    ids = {row_id for nearest in run.items.values_list("nearest", flat=True) for row_id in nearest}
    try:
        rows = rows_named(run.version.run.dataset_version, ids)
    except (ObjectMissing, FileNotFoundError):
        raise PortalError(
            "The training rows were removed while the evaluation ran. Evaluate again without alternatives.",
            code="evaluation:no_training_rows",
        ) from None
    return {row_id: row.messages for row_id, row in rows.items()}


def _prompt_line(item: EvaluationItem, prompt: str, targets: list[str], examples: Sequence[list[Message]] = ()) -> str:
    reference = {"role": "assistant", "content": item.reference}
    line = {"id": prompt, "messages": [*item.messages, reference], "targets": targets}
    if item.tools:
        line["tools"] = item.tools
    if examples:
        line["examples"] = list(examples)
    return json.dumps(line, ensure_ascii=False) + "\n"
