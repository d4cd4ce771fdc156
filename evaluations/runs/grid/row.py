"""The view of one row: all answers in full, each with its scores and why it got its grade."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from evaluations.models import EvaluatedModel, EvaluationItem, EvaluationRun, Grade
from evaluations.runs.grades import GradesByAnswer
from evaluations.runs.grid.cells import Cell, cells_of
from evaluations.runs.report import in_order, metric_title

WHOLE = 1_000_000
"""Characters of an answer that are shown; models give far fewer."""


@dataclass(frozen=True, kw_only=True)
class Criterion:
    """One judge's grade of an answer by one criterion of a rubric."""

    name: str
    judge: str
    score: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class FullAnswer:
    """A cell with all that is known about the answer. `scores` are (title, text)."""

    cell: Cell
    scores: list[tuple[str, str]]
    criteria: list[Criterion]


def full_answers(
    run: EvaluationRun, models: Sequence[EvaluatedModel], item: EvaluationItem, grades: GradesByAnswer
) -> list[FullAnswer]:
    """Every model's answer to a row, models in order."""
    judging = run.last_judging
    rubric = judging.rubric_version if judging else None
    order = [one["name"] for one in rubric.document["criteria"]] if rubric else []
    return [
        FullAnswer(cell=cell, scores=_scores(cell), criteria=_criteria(cell.grade, order))
        for cell in cells_of(run, models, [item], most=WHOLE, grades=grades)[item.id]
    ]


def _scores(cell: Cell) -> list[tuple[str, str]]:
    scores = cell.answer.scores if cell.answer else {}
    return [
        (metric_title(alias), "not scored" if scores[alias] is None else f"{scores[alias]:.2f}")
        for alias in in_order(scores)
    ]


def _criteria(grade: Grade | None, order: Sequence[str]) -> list[Criterion]:
    """In the rubric's order; PostgreSQL keeps none in JSON."""
    detail: dict[str, Any] = grade.detail if grade else {}
    return [
        Criterion(name=name, judge=judge, score=f"{round(one['score'], 1):g}", reason=one.get("reason", ""))
        for name, by_judge in sorted(
            detail.items(), key=lambda given: order.index(given[0]) if given[0] in order else len(order)
        )
        if isinstance(by_judge, dict)
        for judge, one in by_judge.items()
        if isinstance(one, dict) and one.get("score") is not None
    ]
