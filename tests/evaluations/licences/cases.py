"""A judge's scores beside experts' grades, made up: in memory, and as rounds in the database."""

import random
from collections.abc import Sequence

from evaluations.agreement.labels import Label
from evaluations.models import (
    Answer,
    EvaluationRun,
    Grade,
    ItemPart,
    Judging,
    JudgingState,
    Qualification,
    QualificationState,
    Review,
    ReviewRound,
    RoundItem,
    RubricVersion,
)
from evaluations.qualification.cases import cases, everything, pairs
from evaluations.qualification.figures import figures_of
from jobs.models import Job
from jobs.states import State
from tenants.models import User
from tests.evaluations.qualification.behaviours import Behaviour, perfect

ROWS = 150
FINGERPRINT = "ab" * 32
JUDGE = {"alias": "default", "name": "Strict", "fingerprint": FINGERPRINT, "is_llm": True}


def labels(
    count: int, *, seed: int, deviation: float = 0.75, off: float = 0.0, start: int = 0, base: str = "tiny"
) -> list[Label]:
    """Experts give the judge's score, plus `off`, plus noise of that standard deviation."""
    generator = random.Random(seed)
    found = []
    for number in range(start, start + count):
        score = generator.gauss(3.5, 0.9)
        grade = score + off + generator.gauss(0.0, deviation)
        found.append(Label(grade=grade, score=score, cluster=str(number), model="m", name="v1", base=base))
    return found


def scores(seed: int = 1) -> list[float]:
    """Of a judge, one for each row."""
    generator = random.Random(seed)
    return [generator.choice((2.0, 2.5, 3.0, 3.5, 4.0)) for _ in range(ROWS)]


def experts(found: Sequence[float], *, off: float = 0.0, seed: int = 2) -> list[float]:
    """Grades of the same answers, `off` from the judge's and a little noise."""
    generator = random.Random(seed)
    return [on_scale(score + off + generator.gauss(0, 0.25)) for score in found]


def on_scale(value: float) -> float:
    return min(max(value, 1.0), 5.0)


def qualified(run: EvaluationRun, behaviour: Behaviour = perfect, fingerprint: str = FINGERPRINT) -> Qualification:
    """A test of the judge that has ended."""
    figures = figures_of(cases(), pairs(), {one.key: behaviour(one) for one in everything()})
    job = Job.objects.create(tenant=run.tenant, kind="judge_qualification", title="Test", state=State.SUCCEEDED)
    made: Qualification = Qualification.objects.create(
        tenant=run.tenant,
        alias="default",
        fingerprint=fingerprint,
        job=job,
        state=QualificationState.READY,
        figures=figures.to_dict(),
    )
    return made


def judged(
    run: EvaluationRun,
    scores: Sequence[float],
    *,
    rubric_version: RubricVersion | None = None,
    fingerprint: str = FINGERPRINT,
) -> Judging:
    """A judging that gave the version's answers these scores, in order of rows."""
    judging: Judging = Judging.objects.create(
        tenant=run.tenant,
        run=run,
        state=JudgingState.READY,
        judges=[{**JUDGE, "fingerprint": fingerprint}],
        rubric_version=rubric_version,
    )
    Grade.objects.bulk_create(
        Grade(tenant_id=run.tenant_id, judging=judging, answer=answer, score=on_scale(score))
        for answer, score in zip(own_answers(run), scores, strict=True)
    )
    return judging


def graded(
    run: EvaluationRun,
    grades: Sequence[float | None],
    *,
    reviewers: Sequence[User],
    rubric_version: RubricVersion | None = None,
    part: ItemPart = ItemPart.UNIFORM,
    start: int = 0,
) -> ReviewRound:
    """A round whose experts all graded the version’s answers so, in order of rows from `start`; None: not graded."""
    made: ReviewRound = ReviewRound.objects.create(
        tenant=run.tenant,
        run=run,
        number=run.rounds.count() + 1,
        rubric_version=rubric_version,
        candidate=run.models.get(version=run.version),
        reviewers_per_item=len(reviewers),
        seed="s",
    )
    answers = own_answers(run)[start : start + len(grades)]
    items = RoundItem.objects.bulk_create(
        RoundItem(
            tenant_id=run.tenant_id,
            round=made,
            position=position,
            item_id=answer.item_id,
            answer=answer,
            part=part,
            probability=1.0,
            is_decided=grade is not None,
        )
        for position, (answer, grade) in enumerate(zip(answers, grades, strict=True), 1)
    )
    Review.objects.bulk_create(
        Review(
            tenant_id=run.tenant_id,
            round_item=item,
            reviewer=reviewer,
            rubric_version=rubric_version,
            grade=on_scale(grade),
        )
        for item, grade in zip(items, grades, strict=True)
        for reviewer in reviewers
        if grade is not None
    )
    return made


def own_answers(run: EvaluationRun) -> list[Answer]:
    own = run.models.get(version=run.version)
    return list(own.answers.select_related("item").order_by("item__position"))
