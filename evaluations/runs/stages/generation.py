"""The stage in which the base and the adapters answer: what the compute backend runs, and what comes back."""

import json
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from evaluations.models import EvaluatedModel, EvaluationItem, EvaluationRun, ModelKind
from evaluations.runs.stages.answers import Given, store, unanswered, unanswered_by
from jobs.backends.base import ComputeSpec, InputFile
from lorakit.contracts import BASE_TARGET, GenerateSpec, Prediction
from lorakit.package import PACKAGE
from rest.errors import PortalError
from storage.objects import object_key, put_file

PREDICTIONS = "predictions.jsonl"


def models_to_ask(run: EvaluationRun) -> list[EvaluatedModel]:
    """Base and adapters with rows that they have not answered."""
    models = run.models.exclude(kind=ModelKind.OUTSIDE).select_related("version")
    return list(unanswered_by(models))


def generation_spec(run: EvaluationRun) -> ComputeSpec:
    """Ask what is missing: each prompt names the models that have not answered it."""
    models = models_to_ask(run)
    assert run.base is not None  # noqa: S101 - only outside models need none
    spec = GenerateSpec(
        base_model=run.base.location,
        max_new_tokens=run.answer_tokens,
        targets=tuple(map(target_of, models)),
    )
    packages = {target_of(model): model.version.package_key for model in models if model.version is not None}
    return ComputeSpec(
        module="lorakit.generate",
        spec=asdict(spec),
        inputs={
            "prompts": (InputFile(key=_store_prompts(run, models), filename="rows.jsonl"),),
            **{target: (InputFile(key=key, filename=PACKAGE),) for target, key in packages.items()},
        },
        tags={"evaluation": str(run.id)},
    )


def store_predictions(run: EvaluationRun, path: Path) -> None:
    """Store the answers of a predictions file. Raises PortalError if any is missing."""
    models = {target_of(model): model for model in run.models.exclude(kind=ModelKind.OUTSIDE)}
    items = {str(item.position): item for item in run.items.only("id", "position", "prompt_sha256")}
    for target, model in models.items():
        store(run, model, ((items[one.id], _given(one)) for one in _read(path) if one.target == target))
    if models_to_ask(run):
        raise PortalError(
            "The model did not answer every held-out row. Evaluate again.",
            code="evaluation:answers_missing",
        )


def target_of(model: EvaluatedModel) -> str:
    """The model's name in a generation, which allows fewer characters than its key has."""
    return BASE_TARGET if model.kind == ModelKind.BASE else f"adapter-{model.position}"


def _given(prediction: Prediction) -> Given:
    return Given(
        text=prediction.text,
        log_probability=prediction.log_probability,
        completion_tokens=prediction.completion_tokens,
        seconds=prediction.seconds,
    )


def _read(path: Path) -> Iterator[Prediction]:
    with path.open("rb") as file:
        for line in file:
            yield Prediction.from_json(line)


def _store_prompts(run: EvaluationRun, models: list[EvaluatedModel]) -> str:
    asked: dict[int, list[str]] = defaultdict(list)
    for model in models:
        for item in unanswered(model):
            asked[item.position].append(target_of(model))
    key = object_key(run.tenant_id, "evaluations", str(run.id), "prompts.jsonl")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "prompts.jsonl"
        with path.open("w", encoding="utf-8") as file:
            for item in run.items.iterator(500):
                if targets := asked.get(item.position):
                    file.write(_prompt_line(item, targets))
        put_file(key, path)
    return key


def _prompt_line(item: EvaluationItem, targets: list[str]) -> str:
    reference = {"role": "assistant", "content": item.reference}
    line = {"id": str(item.position), "messages": [*item.messages, reference], "targets": targets}
    if item.tools:
        line["tools"] = item.tools
    return json.dumps(line, ensure_ascii=False) + "\n"
