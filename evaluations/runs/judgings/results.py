"""What a judging that is over comes to: a grade for each answer, and the figures of each slice."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

from django.db import transaction

from evaluations.judges.backends.base import Judgement
from evaluations.judges.backends.usage import NOTHING
from evaluations.judging.jurors import Juror
from evaluations.judging.plan import Plan
from evaluations.judging.results import RowResult, results
from evaluations.judging.steps import standings_of
from evaluations.judging.summary import Summary, Tally
from evaluations.models import Answer, EvaluationItem, Grade, Judging
from evaluations.runs.judgings.rows import rows_from
from evaluations.runs.stages.answers import parts
from evaluations.runs.stages.grading import summarise_grades, uncertainty
from evaluations.runs.stages.held_out import ALL
from evaluations.runs.stages.scoring import Rows

ROWS_AT_ONCE = 100


def conclude(judging: Judging, jury: Sequence[Juror], plan: Plan) -> dict[str, Any]:
    """Store the grades and return {is_complete, why, summary, usage}. May run again."""
    run = judging.run
    items = list(run.items.values_list("slice", "prompt_sha256"))
    models = [model.key for model in run.contenders]
    columns: dict[str, list[float | None]] = {key: [] for key in models}
    tallies = {name: Tally(plan) for name, _ in [(ALL, ""), *items]}
    for chunk in parts(results(jury, plan, rows_from(run)), ROWS_AT_ONCE):
        for result in chunk:
            place = int(result.row.id) - 1
            for name in {ALL, items[place][0]}:
                tallies[name].add(result)
            for key in models:
                grade = result.grades.get(key)
                columns[key].append(grade.grade if grade else None)
        _store(judging, chunk)
    rows = Rows(
        references=[""] * len(items), slices=[name for name, _ in items], prompts=[prompt for _, prompt in items]
    )
    standings = standings_of(jury, judging.progress).values()
    left = sum((Counter(standing.left) for standing in standings), Counter[str]())
    names = {model.key: model.name for model in run.contenders}
    total = tallies[ALL].summary(names=names, left=left)
    summary = summarise_grades(rows, columns, about=run.own_key)
    for name, part in summary.items():
        part |= _figures(tallies[name].summary())
    usage = sum((standing.usage for standing in standings), NOTHING)
    spent = {**asdict(usage), "cost_usd": None if usage.cost_usd is None else float(usage.cost_usd)}
    return {"is_complete": total.complete, "why": total.why, "summary": summary, "usage": spent}


def _figures(summary: Summary) -> dict[str, Any]:
    return {
        "models": {one.model: asdict(one) for one in summary.models},
        "pairs": [{**asdict(one), "verdict": one.verdict} for one in summary.pairs],
    }


def _store(judging: Judging, chunk: Iterable[RowResult]) -> None:
    by_position = {int(result.row.id): result for result in chunk}
    own = judging.run.own_key
    answers = Answer.objects.filter(item__run=judging.run, item__position__in=by_position).select_related(
        "item", "model"
    )
    grades, items = [], []
    for answer in answers:
        found = by_position[answer.item.position].grades.get(answer.model.key)
        if found is None or found.grade is None:
            continue
        grades.append(
            Grade(
                tenant_id=judging.tenant_id,
                judging=judging,
                answer=answer,
                score=found.grade,
                reason=found.reason,
                detail=found.detail,
                spread=found.spread or 0.0,
            )
        )
        if answer.model.key == own:
            doubt = uncertainty(Judgement(score=found.grade, reason=""), answer.scores)
            answer.item.uncertainty = max(doubt, found.uncertainty or 0.0)
            items.append(answer.item)
    with transaction.atomic():
        Grade.objects.bulk_create(
            grades,
            update_conflicts=True,
            unique_fields=["tenant", "judging", "answer"],
            update_fields=["score", "reason", "detail", "spread"],
        )
        EvaluationItem.objects.bulk_update(items, ["uncertainty"])
