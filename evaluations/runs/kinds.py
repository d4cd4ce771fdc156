"""The evaluation job: base and adapter answer the held-out rows, then metrics and judge score the answers."""

import tempfile
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.db import transaction

from evaluations.judges.backends import judges
from evaluations.models import EvaluationItem, EvaluationRun, EvaluationState
from evaluations.runs.held_out import HeldOutRow, held_out_rows, prompt_lines
from evaluations.runs.scoring import TARGETS, ScoredRow, score_rows, summarise
from jobs.backends.base import ComputeBackend, ComputeSpec, InputFile
from jobs.compute.kinds import ComputeKind
from jobs.models import Job
from lorakit.contracts import GenerateSpec, Prediction
from rest.errors import PortalError
from storage.objects import object_key, put_file

PREDICTIONS = "predictions.jsonl"
MAX_NEW_TOKENS = 512
MIN_NEW_TOKENS = 16


class EvaluationKind(ComputeKind):
    """Runs lorakit.generate on the test split of the version's own dataset version."""

    name = "evaluation"
    max_attempts = 3

    def prepare(self, job: Job) -> ComputeSpec:
        run = _run_of(job)
        rows = held_out_rows(run.dataset_version)
        spec = GenerateSpec(
            base_model=run.version.adapter.base_model.location, max_new_tokens=answer_length(rows), targets=TARGETS
        )
        return ComputeSpec(
            module="lorakit.generate",
            spec=asdict(spec),
            inputs={
                "prompts": (InputFile(key=_store_prompts(run, rows), filename="rows.jsonl"),),
                "adapter": (InputFile(key=run.version.package_key, filename="adapter.tar.gz"),),
            },
            tags={"evaluation": str(run.id)},
        )

    def collect(self, job: Job, result: dict[str, Any], folder: Path, backend: ComputeBackend) -> dict[str, Any]:
        run = _run_of(job)
        backend.fetch(job.external_name, PREDICTIONS, folder / PREDICTIONS)
        answers = read_answers(folder / PREDICTIONS)
        rows = held_out_rows(run.dataset_version)
        missing = [row.id for row in rows if answers.get(row.id, {}).keys() != set(TARGETS)]
        if missing or not rows:
            raise PortalError(
                "The model did not answer every held-out row. Evaluate the version again.",
                code="evaluation:answers_missing",
            )
        judge = judges[run.judge]
        scored = score_rows(rows, answers, judge=judge)
        store_items(run, scored)
        return {"rows": len(scored), "summary": summarise(scored)}

    def on_succeeded(self, job: Job) -> None:
        # The items are there since `collect`; this is the moment they count.
        EvaluationRun.objects.filter(job=job).update(state=EvaluationState.READY, summary=job.result["summary"])

    def on_failed(self, job: Job) -> None:
        EvaluationRun.objects.filter(job=job).update(state=EvaluationState.FAILED)

    def on_stopped(self, job: Job) -> None:
        EvaluationRun.objects.filter(job=job).update(state=EvaluationState.STOPPED)


def answer_length(rows: Iterable[HeldOutRow]) -> int:
    """Room for an answer, in tokens: a token is a byte or more, so the longest reference fits whatever the model."""
    longest = max((len(row.reference.encode()) for row in rows), default=0)
    return min(max(longest, MIN_NEW_TOKENS), MAX_NEW_TOKENS)


def read_answers(path: Path) -> dict[str, dict[str, str]]:
    """{row id: {target: text}} of a predictions file."""
    answers: dict[str, dict[str, str]] = {}
    with path.open("rb") as file:
        for line in file:
            prediction = Prediction.from_json(line)
            # A model may emit any character, but PostgreSQL stores no NUL.
            text = prediction.text.replace("\x00", "\ufffd")
            answers.setdefault(prediction.id, {})[prediction.target] = text
    return answers


@transaction.atomic
def store_items(run: EvaluationRun, scored: Iterable[ScoredRow]) -> None:
    """Store the rows. Idempotent."""
    items = [_item(run, position, row) for position, row in enumerate(scored, 1)]
    columns = [
        "slice",
        "messages",
        "tools",
        "reference",
        "answer_base",
        "answer_adapter",
        "scores",
        "judgement",
        "uncertainty",
    ]
    EvaluationItem.objects.bulk_create(
        items,
        batch_size=500,
        update_conflicts=True,
        unique_fields=["tenant", "run", "position"],
        update_fields=columns,
    )


def _item(run: EvaluationRun, position: int, scored: ScoredRow) -> EvaluationItem:
    return EvaluationItem(
        tenant_id=run.tenant_id,
        run=run,
        position=position,
        slice=scored.row.slice,
        messages=scored.row.messages,
        tools=scored.row.tools,
        reference=scored.row.reference,
        answer_base=scored.answers["base"],
        answer_adapter=scored.answers["adapter"],
        scores=scored.scores,
        judgement={target: asdict(judgement) for target, judgement in scored.judgements.items()},
        uncertainty=scored.uncertainty,
    )


def _run_of(job: Job) -> EvaluationRun:
    return EvaluationRun.objects.select_related("version__adapter__base_model", "dataset_version").get(job=job)


def _store_prompts(run: EvaluationRun, rows: list[HeldOutRow]) -> str:
    key = object_key(run.tenant_id, "evaluations", str(run.id), "prompts.jsonl")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "prompts.jsonl"
        with path.open("w", encoding="utf-8") as file:
            file.writelines(prompt_lines(rows))
        put_file(key, path)
    return key
