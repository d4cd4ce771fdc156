"""The cells of a grid: what each model answered to each row, with differences and grade."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from evaluations.models import Answer, EvaluatedModel, EvaluationItem, EvaluationRun, Grade
from evaluations.runs.grades import NONE, AnswerGrades, GradesByAnswer
from evaluations.runs.grid.marks import IN_A_CELL, Marked, marked
from evaluations.runs.queries import answers_of


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One model's answer to a row; `answer` and `text` are None before it has answered."""

    model: EvaluatedModel
    answer: Answer | None
    grade: Grade | None
    text: Marked | None
    grades: AnswerGrades = NONE
    """What experts said of it."""


def cells_of(
    run: EvaluationRun,
    models: Sequence[EvaluatedModel],
    items: Sequence[EvaluationItem],
    *,
    most: int = IN_A_CELL,
    grades: GradesByAnswer | None = None,
) -> dict[UUID, list[Cell]]:
    """A cell for each model, in their order, to each of the run's `items`; texts of at most `most` characters."""
    found = {}
    for item_id, given in answers_of(run, items).items():
        by_model = {one.model.id: one for one in given}
        reference = next(item.reference for item in items if item.id == item_id)
        found[item_id] = [
            Cell(
                model=model,
                answer=one.answer if one else None,
                grade=one.grade if one else None,
                text=marked(reference, one.answer.text, most=most) if one else None,
                grades=(grades or {}).get(one.answer.id, NONE) if one else NONE,
            )
            for model in models
            for one in (by_model.get(model.id),)
        ]
    return found
