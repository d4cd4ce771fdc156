"""An evaluation with so many rows that its pages must not read them all."""

import hashlib
from collections.abc import Sequence
from random import Random
from typing import Any

from adapters.models import AdapterVersion
from evaluations.metrics import metrics
from evaluations.metrics.base import RowMetric
from evaluations.models import (
    Answer,
    EvaluatedModel,
    EvaluationItem,
    EvaluationRun,
    EvaluationState,
    Grade,
    Judging,
    JudgingState,
)
from evaluations.runs.contenders import contenders
from evaluations.runs.stages.facts import facts_of
from evaluations.runs.stages.scoring import RIGHT, differences
from jobs.models import Job
from jobs.states import State
from tenants.models import Tenant

BATCH = 2000
SHARES = (0.02, 0.55, 0.7, 0.9)
"""How often each model is right."""

WORDS = ("the", "parties", "agree", "that", "liability", "is", "limited", "to", "fees", "paid", "before", "a", "claim")
SCORED = [alias for alias, metric in metrics.items() if isinstance(metric, RowMetric) and "bert" not in alias]


def large_run(tenant: Tenant, versions: Sequence[AdapterVersion], *, rows: int) -> EvaluationRun:
    """A ready run of the base and `versions`, the last of which it is about. Answers have about 60 words."""
    rng = Random(7)
    *others, own = versions
    job = Job.objects.create(tenant=tenant, kind="evaluation", title="Evaluate", state=State.SUCCEEDED)
    run: EvaluationRun = EvaluationRun.objects.create(
        tenant=tenant, version=own, dataset_version=own.run.dataset_version, job=job, rows_wanted=rows
    )
    models = EvaluatedModel.objects.bulk_create(contenders(run, base=True, versions=others))
    judging = Judging.objects.create(
        tenant=tenant,
        run=run,
        state=JudgingState.READY,
        judges=[{"name": "Strict", "is_llm": True}],
        summary={"all": {"figures": {model.key: 4.0 for model in models}, "differences": []}},
    )
    for start in range(1, rows + 1, BATCH):
        _store(run, models, judging, range(start, min(start + BATCH, rows + 1)), rng)
    shares = dict(zip((model.key for model in models), SHARES, strict=False))
    run.summary = {
        "all": {
            "rows": rows,
            "figures": {key: dict.fromkeys(SCORED, share) for key, share in shares.items()},
            "differences": _differences(run, models),
            "models": {
                model.key: facts_of(list(Answer.objects.filter(model=model)), list(map(str, range(rows))))
                for model in models
            },
            "unavailable": {},
        }
    }
    run.state = EvaluationState.READY
    run.save()
    return run


def _differences(run: EvaluationRun, models: Sequence[EvaluatedModel]) -> list[dict[str, Any]]:
    right = {
        model.key: [
            float(bool(one))
            for one in Answer.objects.filter(model=model).order_by("item__position").values_list("is_right", flat=True)
        ]
        for model in models
    }
    rows = len(next(iter(right.values())))
    return differences(right, prompts=list(map(str, range(rows))), metric=RIGHT, about=models[-1].key)


def _store(run: EvaluationRun, models: Sequence[EvaluatedModel], judging: Judging, numbers: range, rng: Random) -> None:
    items = [
        EvaluationItem(
            tenant_id=run.tenant_id,
            run=run,
            position=number,
            slice=("contracts", "leases", "letters")[number % 3],
            messages=[{"role": "user", "content": f"Summarise clause {number}: " + _text(rng, 120)}],
            reference=f"Clause {number}: " + _text(rng, 60),
            prompt_sha256=hashlib.sha256(str(number).encode()).hexdigest(),
            prompt_length=rng.randrange(400, 900),
            uncertainty=rng.random(),
        )
        for number in numbers
    ]
    EvaluationItem.objects.bulk_create(items)
    answers = []
    for item in items:
        for model, share in zip(models, SHARES, strict=False):
            right = rng.random() < share
            scores = {alias: 1.0 if right else round(rng.random(), 6) for alias in SCORED}
            answers.append(
                Answer(
                    tenant_id=run.tenant_id,
                    item=item,
                    model=model,
                    key="",
                    text=item.reference if right else _text(rng, 60),
                    log_probability=-3 * rng.random(),
                    completion_tokens=60 + model.position,
                    seconds=0.5,
                    scores={**scores, "exact_match": float(right)},
                    is_right=right,
                )
            )
    Answer.objects.bulk_create(answers)
    Grade.objects.bulk_create(
        Grade(
            tenant_id=run.tenant_id,
            judging=judging,
            answer=answer,
            score=5.0 if answer.is_right else rng.randrange(1, 5),
            reason="Names the wrong party." * (not answer.is_right),
        )
        for answer in answers
    )


def _text(rng: Random, words: int) -> str:
    return " ".join(rng.choices(WORDS, k=words))
