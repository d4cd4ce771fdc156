"""Rows of an evidence pack, a few at a time."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from evaluations.gates.evidence import counted_grades, judging_of, roles_of
from evaluations.judges.few_shot import with_examples
from evaluations.judges.prompts import GradePrompt
from evaluations.judging.aligned import Aligned, aligned_named
from evaluations.judging.plan import Plan
from evaluations.judging.plan import Row as JudgedRow
from evaluations.models import Answer, Decision, EvaluationItem, Grade, Judging
from evaluations.runs.judgings.rows import plan_of
from lorakit.gates.case import Role

ROWS_AT_ONCE = 200


def packed_rows(decision: Decision) -> Iterator[dict[str, Any]]:
    """The test rows with prompts, expected answers, answers, scores and the judge's grades, in order."""
    roles, leaked, judging = roles_of(decision), set(decision.leaked or ()), judging_of(decision)
    grading = judging if judging is not None and judging.is_llm else None
    plan = plan_of(grading) if grading else None
    aligned = _aligned(grading) if grading else None
    items = EvaluationItem.objects.filter(run=decision.run_id).order_by("position")
    number = 0
    while chunk := list(items[number : number + ROWS_AT_ONCE]):
        answers = _answers(chunk, roles, grading, plan, aligned)
        for item in chunk:
            yield {
                "number": item.position,
                "slice": item.slice,
                "messages": item.messages,
                "tools": item.tools,
                "reference": item.reference,
                "prompt_sha256": item.prompt_sha256,
                "leaked": item.position in leaked,
                "answers": answers[item.id],
            }
        number += len(chunk)


def _answers(
    items: list[EvaluationItem],
    roles: dict[UUID, Role],
    judging: Judging | None,
    plan: Plan | None,
    aligned: Aligned | None,
) -> dict[UUID, dict[Role, dict[str, Any]]]:
    found: dict[UUID, dict[Role, dict[str, Any]]] = {item.id: {} for item in items}
    grades: dict[UUID, Grade] = {}
    if judging is not None:
        given = counted_grades(judging).filter(answer__item__in=items, answer__model__in=list(roles))
        grades = {grade.answer_id: grade for grade in given}
    by_id = {item.id: item for item in items}
    for answer in Answer.objects.filter(item__in=items, model__in=list(roles)):
        grade = grades.get(answer.id)
        found[answer.item_id][roles[answer.model_id]] = {
            "text": answer.text,
            "scores": answer.scores,
            "seconds": answer.seconds,
            "usd": None if answer.usd is None else float(answer.usd),
            "judge": {
                "score": grade.score,
                "reason": grade.reason,
                "detail": grade.detail,
                "spread": grade.spread,
                "prompts_sha256": _prompts(plan, by_id[answer.item_id], answer.text, aligned),
            }
            if grade is not None and plan is not None
            else None,
        }
    return found


def _aligned(judging: Judging) -> Aligned | None:
    """The examples that a single judge was shown. Of a jury, prompts are stated without them."""
    recorded = judging.judges[0].get("alignment") if len(judging.judges) == 1 else None
    return aligned_named(recorded["id"]) if recorded else None


def _prompts(plan: Plan, item: EvaluationItem, answer: str, aligned: Aligned | None) -> dict[str, str]:
    """{criterion: SHA-256 of the prompt that the judge was asked about this answer}."""
    row = JudgedRow(id=str(item.position), messages=item.messages, reference=item.reference, answers={"own": answer})
    examples = aligned.examples if aligned else {}
    return {
        one.criterion: with_examples(one.prompt, examples.get(one.criterion, ())).sha256
        for one in plan.questions(row)
        if isinstance(one.prompt, GradePrompt)
    }
