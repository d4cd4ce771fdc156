"""The frozen answers of a licence as the judging asks them, and what came of it."""

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from statistics import fmean
from typing import Any

from evaluations.judges.backends.usage import NOTHING
from evaluations.judging.jurors import Juror
from evaluations.judging.plan import CORRECTNESS, Plan, Row
from evaluations.judging.results import results
from evaluations.judging.steps import standings_of
from evaluations.models import CallPurpose, FrozenRow, Licence, Rejudging
from evaluations.rubrics.document import parsed
from lorakit.stats import cluster_interval

ANSWER = "answer"
WIDEST = 4.0
"""How far two grades of one answer can be apart."""


@dataclass(frozen=True, kw_only=True)
class Shifted:
    """`shift` and its interval are None where fewer than two prompts got a grade again."""

    rows: int
    shift: float | None
    low: float | None
    high: float | None
    usage: dict[str, Any]


def rows_of(licence: Licence, start: int = 0) -> list[Row]:
    """The frozen answers from number `start` on, always in the same order."""
    frozen = FrozenRow.objects.filter(licence=licence).select_related("answer__item").order_by("id")
    return [
        Row(
            id=str(one.id),
            messages=one.answer.item.messages,
            reference=one.answer.item.reference,
            answers={ANSWER: one.answer.text},
            prompt=one.answer.item.prompt_sha256,
        )
        for one in frozen[start:]
    ]


def plan_of(licence: Licence) -> Plan:
    """The rubric that the licence is for."""
    version = licence.rubric_version
    return Plan(rubric=parsed({**version.document, "name": version.rubric.name}) if version else CORRECTNESS)


def asked_again(jury: Sequence[Juror], rejudging: Rejudging) -> list[Juror]:
    """The same judges without their earlier verdicts, their calls counted as tests."""
    return [
        replace(
            juror,
            fingerprint=hashlib.sha256(f"{juror.fingerprint}:rejudging:{rejudging.id}".encode()).hexdigest(),
            purpose=CallPurpose.TESTING,
        )
        for juror in jury
    ]


def shifted(rejudging: Rejudging, jury: Sequence[Juror], plan: Plan) -> Shifted:
    """New grades less the old ones, by prompt where answers share one."""
    old = {str(one.id): one.score for one in FrozenRow.objects.filter(licence=rejudging.licence)}
    differences: dict[str, list[float]] = {}
    for result in results(jury, plan, rows_of(rejudging.licence)):
        grade = result.grades[ANSWER].grade
        if grade is not None:
            differences.setdefault(result.row.prompt_key, []).append(grade - old[result.row.id])
    usage = sum((one.usage for one in standings_of(jury, rejudging.progress).values()), NOTHING)
    spent = {**asdict(usage), "cost_usd": None if usage.cost_usd is None else float(usage.cost_usd)}
    values = [value for group in differences.values() for value in group]
    if len(differences) < 2:
        return Shifted(rows=len(values), shift=None, low=None, high=None, usage=spent)
    groups = list(differences.values())
    interval = cluster_interval(
        [sum(group) for group in groups], [len(group) for group in groups], low=-WIDEST, high=WIDEST
    ).interval()
    return Shifted(rows=len(values), shift=fmean(values), low=interval.low, high=interval.high, usage=spent)
