"""The grades and preferences of each row, from the stored verdicts."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from evaluations.judging.grades import AnswerGrade, Score, grade_of
from evaluations.judging.jurors import Juror
from evaluations.judging.plan import Pair, Plan, Question, Row
from evaluations.judging.preferences import SAME, Orders, RowPreference, preference_of
from evaluations.judging.queries import Known, known_of

ROWS_AT_ONCE = 20


@dataclass(frozen=True, kw_only=True)
class RowResult:
    """`grades` are by model, `preferences` by pair; those of models that did not answer the row are missing."""

    row: Row
    grades: Mapping[str, AnswerGrade]
    preferences: Mapping[Pair, RowPreference]


def results(jury: Sequence[Juror], plan: Plan, rows: Iterable[Row]) -> Iterator[RowResult]:
    """One for each row, in order; a few rows are held at once. Raises ValueError if two judges have the same name."""
    if len({juror.name for juror in jury}) < len(jury):
        raise ValueError("two judges of a jury have the same name")
    waiting = iter(rows)
    while chunk := list(islice(waiting, ROWS_AT_ONCE)):
        asked = [(row, _keys(jury, list(plan.questions(row)))) for row in chunk]
        known = known_of(key for _, keys in asked for of_judge in keys.values() for key in of_judge.values())
        for row, keys in asked:
            yield row_result(plan, row, {judge: _said(of_judge, known) for judge, of_judge in keys.items()})


Named = tuple[str, tuple[str, ...]]
"""A question about a row: the criterion, and the model or the two in the order shown."""

Said = Mapping[Named, Known]
"""What one judge said of a row."""


def row_result(plan: Plan, row: Row, said: Mapping[str, Said]) -> RowResult:
    """Pure; `said` is by judge."""
    names = [one.criterion.name for one in plan.rubric.criteria]
    grades = {
        model: grade_of(
            plan.rubric,
            {judge: {name: _score(found.get((name, (model,)))) for name in names} for judge, found in said.items()},
        )
        for model in row.answers
    }
    preferences = {
        pair: preference_of(
            plan.rubric, [{name: _orders(row, pair, name, found) for name in names} for found in said.values()]
        )
        for pair in plan.pairs
        if pair[0] in row.answers and pair[1] in row.answers
    }
    return RowResult(row=row, grades=grades, preferences=preferences)


def _keys(jury: Sequence[Juror], questions: Sequence[Question]) -> dict[str, dict[Named, str]]:
    """Of each judge's verdicts on a row."""
    return {
        juror.name: {(one.criterion, one.models): juror.key(juror.prompt(one)) for one in questions} for juror in jury
    }


def _said(keys: Mapping[Named, str], known: Mapping[str, Known]) -> Said:
    return {name: known[key] for name, key in keys.items() if key in known}


def _score(verdict: Known | None) -> Score:
    return Score(value=verdict.score, reason=verdict.reason, error=verdict.error) if verdict else Score()


def _orders(row: Row, pair: Pair, criterion: str, found: Said) -> Orders:
    first, second = pair
    if row.answers[first] == row.answers[second]:
        return SAME
    both = [found.get((criterion, (first, second)), Known()), found.get((criterion, (second, first)), Known())]
    return Orders(
        forward=both[0].choice,
        backward=both[1].choice,
        errors=tuple(verdict.error for verdict in both if not verdict.choice),
    )
