"""Answers that experts and a judge have both graded, by the same rubric."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from evaluations.agreement.evidence import Decided, evidence_of
from evaluations.judging.aligned import example_rows
from evaluations.judging.jurors import jury_fingerprint
from evaluations.models import Grade, Judging, JudgingState, ReviewRound, RoundShape

HAS_GRADES = (JudgingState.READY, JudgingState.INCOMPLETE)


@dataclass(frozen=True, kw_only=True)
class Label:
    """An answer of the uniform part of a round: the experts' verdict `grade` and the judge's `score`, both 1 to 5.

    `cluster` is what rows with the same prompt have in common, `model` what answered (a hash) and `name` what pages
    call it, `base` the base model beneath the versions of the evaluation (empty where only outside models answered).
    """

    grade: float
    score: float
    cluster: str
    answer: UUID | None = None
    model: str = ""
    name: str = ""
    base: str = ""


def judgings_by(fingerprint: str, rubric_version: UUID | None) -> list[Judging]:
    """Judgings with grades by this judge or jury and this rubric, oldest first."""
    found = Judging.objects.filter(rubric_version=rubric_version, state__in=HAS_GRADES).order_by("created_at")
    return [one for one in found.defer("summary", "progress") if jury_fingerprint(one.judges) == fingerprint]


def labels_of(judgings: Sequence[Judging], rubric_version: UUID | None, *, since: dt.datetime | None) -> list[Label]:
    """In the order in which they count: by round, then by position. An answer counts once.

    `judgings` are those of one judge by this rubric; of an answer that it graded twice, the first grade counts. Only
    rounds made after `since` count, and no row that one of the judges was shown as an example.
    """
    rounds = (
        ReviewRound.objects.filter(
            run__in={judging.run_id for judging in judgings}, rubric_version=rubric_version, shape=RoundShape.SINGLE
        )
        .select_related("run__version__adapter")
        .order_by("created_at", "number")
    )
    if since is not None:
        rounds = rounds.filter(created_at__gt=since)
    shown = example_rows(one for judging in judgings for one in judging.judges)
    found: dict[UUID, Label] = {}
    for round_ in rounds:
        version = round_.run.version
        base = str(version.adapter.base_model_id if version else round_.run.base_model_id or "")
        decided = [one for one in evidence_of(round_).decided if one.answer not in found and one.cluster not in shown]
        scores = scores_of([one for one in judgings if one.run_id == round_.run_id], decided)
        for one in decided:
            if one.answer in scores:
                found[one.answer] = Label(
                    grade=one.grade,
                    score=scores[one.answer],
                    cluster=one.cluster,
                    answer=one.answer,
                    model=one.model,
                    name=one.name,
                    base=base,
                )
    return list(found.values())


def scores_of(judgings: Sequence[Judging], decided: Sequence[Decided]) -> dict[UUID, float]:
    """The judge's grade of each answer that it graded, from the first of `judgings` that has one."""
    grades = Grade.objects.filter(judging__in=judgings, answer__in=[one.answer for one in decided])
    found: dict[UUID, float] = {}
    for answer, score in grades.order_by("judging__created_at").values_list("answer", "score"):
        found.setdefault(answer, score)
    return found
