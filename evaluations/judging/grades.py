"""From verdicts to the grade of an answer, from 1 to 5. Pure.

A criterion without a score is missing, never low: an answer without a required one has no grade.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import fsum
from typing import Any

from evaluations.judges.backends.base import HIGHEST, LOWEST
from evaluations.judges.prompts import Criterion
from evaluations.rubrics.document import RubricDocument, Weighted

NOT_ASKED = ""
"""Why a score is missing that has no verdict yet."""


@dataclass(frozen=True, kw_only=True)
class Score:
    """What one judge said of one answer by one criterion: `value` on the criterion's scale, or None and why."""

    value: float | None = None
    reason: str = ""
    error: str = NOT_ASKED


@dataclass(frozen=True, kw_only=True)
class AnswerGrade:
    """A jury's grade of one answer.

    `grade` is the mean of the judges' grades, from 1 to 5; None unless each of them gave one. `spread` is how far
    apart they are: highest minus lowest, None for a single judge. `by_judge` are their grades, `by_criterion` the
    means of their scores, all from 1 to 5. `missing` counts required scores that are missing, by why.
    """

    grade: float | None
    spread: float | None
    by_judge: Mapping[str, float | None]
    by_criterion: Mapping[str, float | None]
    missing: Mapping[str, int] = field(default_factory=dict)
    scores: Mapping[str, Mapping[str, Score]] = field(default_factory=dict)
    """{judge: {criterion: score}}"""

    @property
    def uncertainty(self) -> float | None:
        """The judges' disagreement as a share of the scale, 0 to 1."""
        return None if self.spread is None else self.spread / (HIGHEST - LOWEST)

    @property
    def reason(self) -> str:
        """Why, in the words of the first judge: one paragraph for each criterion."""
        first = next(iter(self.scores.values()), {})
        reasons = {name: score.reason for name, score in first.items() if score.value is not None and score.reason}
        if len(reasons) == 1:
            return next(iter(reasons.values()))
        return "\n\n".join(f"{name}: {reason}" for name, reason in reasons.items())

    @property
    def detail(self) -> dict[str, dict[str, dict[str, Any]]]:
        """As JSON: {criterion: {judge: {score, reason, error}}}, the scores on the criterion's scale."""
        found: dict[str, dict[str, dict[str, Any]]] = {}
        for judge, scores in self.scores.items():
            for name, score in scores.items():
                about = {"score": score.value, "reason": score.reason, "error": score.error}
                found.setdefault(name, {})[judge] = about
        return found


def on_scale(value: float, criterion: Criterion) -> float:
    """A score of the criterion's scale as a grade from 1 to 5. Raises ValueError if it lies off the scale."""
    if not criterion.lowest <= value <= criterion.highest:
        raise ValueError(f"{value} is off the scale from {criterion.lowest} to {criterion.highest}")
    share = (value - criterion.lowest) / (criterion.highest - criterion.lowest)
    return LOWEST + share * (HIGHEST - LOWEST)


def weighted_mean(grades: Sequence[tuple[Weighted, float | None]]) -> float | None:
    """The mean of one judge's grades by the criteria's weights.

    None if a required one is missing, or all are; an optional one that is missing weighs nothing.
    """
    if any(one.required and grade is None for one, grade in grades):
        return None
    there = [(one.weight, grade) for one, grade in grades if grade is not None]
    total = fsum(weight for weight, _ in there)
    if not there:
        return None
    mean = fsum(weight * grade for weight, grade in there) / total
    # Rounding must not leave the scale.
    return min(max(mean, LOWEST), HIGHEST)


def grade_of(rubric: RubricDocument, scores: Mapping[str, Mapping[str, Score]]) -> AnswerGrade:
    """The grade that a jury's scores amount to; `scores` is {judge: {criterion: score}}."""
    graded = {judge: _graded(rubric, found) for judge, found in scores.items()}
    by_judge = {judge: weighted_mean(grades) for judge, grades in graded.items()}
    given = [grade for grade in by_judge.values() if grade is not None]
    complete = bool(given) and len(given) == len(by_judge)
    missing: dict[str, int] = {}
    for found in scores.values():
        for one in rubric.criteria:
            score = found.get(one.criterion.name, Score())
            if one.required and score.value is None:
                missing[score.error] = missing.get(score.error, 0) + 1
    return AnswerGrade(
        grade=fsum(given) / len(given) if complete else None,
        spread=max(given) - min(given) if complete and len(given) > 1 else None,
        by_judge=by_judge,
        by_criterion={
            one.criterion.name: _mean([grades[place][1] for grades in graded.values()])
            for place, one in enumerate(rubric.criteria)
        },
        missing=missing,
        scores=scores,
    )


def _graded(rubric: RubricDocument, found: Mapping[str, Score]) -> list[tuple[Weighted, float | None]]:
    grades: list[tuple[Weighted, float | None]] = []
    for one in rubric.criteria:
        value = found.get(one.criterion.name, Score()).value
        grades.append((one, None if value is None else on_scale(value, one.criterion)))
    return grades


def _mean(grades: Sequence[float | None]) -> float | None:
    """None unless all are there: the mean of some judges cannot be compared with that of all."""
    given = [grade for grade in grades if grade is not None]
    return fsum(given) / len(given) if given and len(given) == len(grades) else None
