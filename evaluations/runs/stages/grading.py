"""Grades by the site's own judge, which needs no calls that cost."""

from collections.abc import Mapping
from statistics import fmean
from typing import Any

from django.db import transaction

from evaluations.judges.backends import judges
from evaluations.judges.backends.base import HIGHEST, LOWEST, Judgement
from evaluations.judges.configured import shared_fingerprint
from evaluations.metrics.suite import Scores
from evaluations.models import Answer, EvaluationItem, EvaluationRun, Grade, Judging, JudgingState
from evaluations.runs.stages.answers import BATCH
from evaluations.runs.stages.held_out import ALL
from evaluations.runs.stages.scoring import SHOWN, Rows, differences

SITE_JUDGE = "default"
GRADE = "judge"
"""The judge's grade among the figures of a slice."""

REACH = 2.0
"""How far pseudo-rows are from no difference, in grades of 1 to 5."""


def grade_run(run: EvaluationRun) -> Judging:
    """Grade all answers of a run by the site's judge. May run again."""
    judge = judges[SITE_JUDGE]
    items = {item.id: item for item in run.items.all()}
    models = run.contenders
    places = {item_id: place for place, item_id in enumerate(items)}
    columns: dict[str, list[float | None]] = {model.key: [None] * len(items) for model in models}
    about_judge = {
        "alias": SITE_JUDGE,
        "name": judge.label,
        "fingerprint": shared_fingerprint(judge),
        "is_llm": judge.is_llm,
    }
    with transaction.atomic():
        judging, _ = Judging.objects.get_or_create(
            run=run,
            job=None,
            defaults={
                "tenant_id": run.tenant_id,
                "state": JudgingState.READY,
                "judges": [about_judge],
                "created_by_id": run.created_by_id,
            },
        )
        for model in models:
            grades = []
            for answer in Answer.objects.filter(model=model):
                item = items[answer.item_id]
                judgement = judge.judge(messages=item.messages, reference=item.reference, answer=answer.text)
                grades.append(_grade(judging, answer, judgement))
                columns[model.key][places[item.id]] = judgement.score
                if model.key == run.own_key:
                    item.uncertainty = uncertainty(judgement, answer.scores)
            Grade.objects.bulk_create(
                grades,
                batch_size=BATCH,
                update_conflicts=True,
                unique_fields=["tenant", "judging", "answer"],
                update_fields=["score", "reason"],
            )
        EvaluationItem.objects.bulk_update(items.values(), ["uncertainty"], batch_size=BATCH)
        rows = Rows(
            references=[item.reference for item in items.values()],
            slices=[item.slice for item in items.values()],
            prompts=[item.prompt_sha256 for item in items.values()],
        )
        judging.summary = summarise_grades(rows, columns, about=run.own_key)
        judging.save(update_fields=["summary"])
    return judging


def summarise_grades(rows: Rows, columns: Mapping[str, list[float | None]], *, about: str) -> dict[str, Any]:
    """{slice: {figures: {model: mean grade or None}, differences: [...]}} of grades by model and place."""
    summary = {}
    for name, places in rows.by_slice().items():
        parts = {key: [grades[place] for place in places] for key, grades in columns.items()}
        known = {key: [grade for grade in grades if grade is not None] for key, grades in parts.items()}
        prompts = [rows.prompts[place] for place in places]
        summary[name] = {
            "figures": {key: fmean(grades) if grades else None for key, grades in known.items()},
            "differences": differences(
                parts, prompts=prompts, metric=GRADE, about=about, lowest=LOWEST, highest=HIGHEST, reach=REACH
            )
            if name == ALL
            else [],
        }
    return summary


def uncertainty(judgement: Judgement, scores: Scores) -> float:
    """0..1, how useful an expert's review is: high for a low grade, or one that disagrees with the metrics
    on the page.
    """
    judged = (judgement.score - LOWEST) / (HIGHEST - LOWEST)
    known = [score for alias in SHOWN if (score := scores.get(alias)) is not None]
    disagreement = abs(judged - fmean(known)) if known else 0.0
    return max(1.0 - judged, disagreement)


def _grade(judging: Judging, answer: Answer, judgement: Judgement) -> Grade:
    return Grade(
        tenant_id=judging.tenant_id, judging=judging, answer=answer, score=judgement.score, reason=judgement.reason
    )
