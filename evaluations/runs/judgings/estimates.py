"""What a judging will take, before it is started."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import islice

from evaluations.judging.costs import Estimate, Range, estimates
from evaluations.judging.jurors import Juror, juror_for
from evaluations.models import EvaluationRun, Judging, RubricVersion
from evaluations.runs.judgings.rows import plan_of, rows_from

MOST_ROWS, MOST_QUESTIONS = 100, 1000
"""Rows and questions that are looked at; the others are taken to be like them."""


@dataclass(frozen=True, kw_only=True)
class JudgeEstimate:
    """One judge's share of the calls."""

    name: str
    estimate: Estimate


@dataclass(frozen=True, kw_only=True)
class JudgingEstimate:
    """All judges together; `usd` is None if any has no price. `is_sample`: only some rows were looked at."""

    judges: list[JudgeEstimate]
    is_sample: bool
    calls: Range
    cached: int
    usd: tuple[Decimal, Decimal] | None


def estimate_judging(
    *, run: EvaluationRun, jury: Sequence[Juror], rubric_version: RubricVersion | None, is_pairwise: bool
) -> JudgingEstimate:
    """The calls that judging these answers would take, less those that have a verdict."""
    plan = plan_of(
        Judging(tenant_id=run.tenant_id, run=run, rubric_version=rubric_version, is_pairwise=is_pairwise, judges=[])
    )
    jury = [juror_for(juror, rubric_version) for juror in jury]
    each = len(plan.rubric.criteria) * (len(run.contenders) + 2 * len(plan.pairs))
    looked_at = min(MOST_ROWS, max(MOST_QUESTIONS // max(each, 1), 1))
    total = run.items.count()
    found = [
        JudgeEstimate(name=juror.name, estimate=one)
        for juror, one in zip(jury, estimates(jury, plan, islice(rows_from(run), looked_at), of=total), strict=True)
    ]
    costs = [one.estimate.usd for one in found]
    known = [cost for cost in costs if cost is not None]
    return JudgingEstimate(
        judges=found,
        is_sample=total > looked_at,
        calls=Range(
            low=sum(one.estimate.calls.low for one in found), high=sum(one.estimate.calls.high for one in found)
        ),
        cached=sum(one.estimate.cached for one in found),
        usd=(sum((low for low, _ in known), Decimal(0)), sum((high for _, high in known), Decimal(0)))
        if len(known) == len(costs)
        else None,
    )
