"""The case of a decision, from the database."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from evaluations.gates.licensing import licence_for
from evaluations.gates.reviewed import control_of, round_of
from evaluations.judging.aligned import example_rows
from evaluations.metrics import metrics
from evaluations.models import Answer, Decision, EvaluatedModel, EvaluationItem, Grade, Judging, ModelKind
from lorakit.gates.case import Case, Licence, Role, Row, Scored

ROWS_AT_ONCE = 1_000


def roles_of(decision: Decision) -> dict[UUID, Role]:
    """{id of the evaluated model: what it is in the decision}, of those that matter."""
    found: dict[UUID, Role] = {}
    for model in EvaluatedModel.objects.filter(run=decision.run_id):
        if model.version_id == decision.version_id:
            found[model.id] = "own"
        elif model.kind == ModelKind.BASE:
            found[model.id] = "base"
        elif decision.against_id is not None and model.version_id == decision.against_id:
            found[model.id] = "live"
    return found


def names_of(decision: Decision) -> dict[Role, str]:
    """How people call them. The live version has a name also where it is not in the evaluation."""
    names: dict[Role, str] = {"own": f"v{decision.version.number}"}
    if decision.against is not None:
        names["live"] = f"v{decision.against.number}"
    if "base" in roles_of(decision).values():
        names["base"] = "the base"
    return names


def judging_of(decision: Decision) -> Judging | None:
    """The judging whose grades count: the run's newest that has any; of a closed decision the one that counted then."""
    if "judging" in decision.verdict:
        return next((one for one in decision.run.judgings.all() if str(one.id) == decision.verdict["judging"]), None)
    found: Judging | None = decision.run.last_judging
    return found


def licence_in(decision: Decision) -> Licence | None:
    """The licence of that judging's judge; of a closed decision as it was then."""
    if "licence" in decision.verdict:
        kept = decision.verdict["licence"]
        return Licence(**kept) if kept else None
    return licence_for(judging_of(decision))


def case_of(decision: Decision) -> Case:
    """Everything that the decision's verdict depends on."""
    judging, roles = judging_of(decision), roles_of(decision)
    is_judged = judging is not None and judging.is_llm
    return Case(
        names=names_of(decision),
        rows=list(rows_of(decision, judging if is_judged else None)),
        leaves_out_leaks=decision.leaves_out_leaks,
        leaks_known=decision.leaked is not None,
        round=round_of(decision, roles),
        control=control_of(decision),
        attempt=decision.attempt,
        licence=licence_in(decision),
        is_judged=is_judged,
        approved_by=approved_by(decision),
        scales={alias: (metric.lowest, metric.highest) for alias, metric in metrics.items()},
        titles={alias: metric.title for alias, metric in metrics.items()},
    )


def approved_by(decision: Decision) -> list[str]:
    """The people who approve, by name; of a closed decision as they were called then."""
    if "approved_by" in decision.verdict:
        return list(decision.verdict["approved_by"])
    return [str(approval.person) for approval in decision.approvals.select_related("person")]


def rows_of(decision: Decision, judging: Judging | None) -> Iterator[Row]:
    """The test rows with their scores, a few at a time."""
    roles, leaked = roles_of(decision), set(decision.leaked or ())
    items = EvaluationItem.objects.filter(run=decision.run_id).order_by("position")
    number = 0
    while chunk := list(items.values_list("id", "position", "prompt_sha256")[number : number + ROWS_AT_ONCE]):
        answers: dict[UUID, dict[Role, Scored]] = {item_id: {} for item_id, _, _ in chunk}
        grades = _grades(judging, list(answers), list(roles))
        found = Answer.objects.filter(item__in=list(answers), model__in=list(roles))
        for answer_id, item_id, model_id, scores, seconds, usd in found.values_list(
            "id", "item_id", "model_id", "scores", "seconds", "usd"
        ):
            answers[item_id][roles[model_id]] = Scored(
                scores=scores,
                judge=grades.get(answer_id),
                seconds=seconds,
                usd=None if usd is None else float(usd),
            )
        for item_id, position, prompt in chunk:
            yield Row(number=position, prompt=prompt, answers=answers[item_id], leaked=position in leaked)
        number += len(chunk)


def _grades(judging: Judging | None, items: list[UUID], models: list[UUID]) -> dict[Any, float]:
    if judging is None:
        return {}
    given = counted_grades(judging).filter(answer__item__in=items, answer__model__in=models)
    return dict(given.values_list("answer_id", "score"))


def counted_grades(judging: Judging) -> QuerySet[Grade]:
    """A judging's grades without those of rows that its judge was shown with experts' grades."""
    return Grade.objects.filter(judging=judging).exclude(answer__item__prompt_sha256__in=example_rows(judging.judges))
