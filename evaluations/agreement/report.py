"""Reads what the page and REST say of agreement in one evaluation.

Worked out anew when somebody grades; between grades it comes from the cache.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID

from django.core.cache import cache

from evaluations.agreement.evidence import Decided, evidence_of
from evaluations.agreement.experts import Line, Rating, by_criterion, by_reviewer, by_week, overall
from evaluations.agreement.judge import AgainstExperts, Anchoring, Both, against_experts, anchoring
from evaluations.agreement.labels import HAS_GRADES
from evaluations.judging.aligned import example_rows
from evaluations.models import EvaluationRun, Grade, Judging, Review, ReviewRound, RoundShape
from evaluations.reviews.queries import evidence_stamp
from evaluations.rubrics.document import parsed
from tenants.models import User

KEPT = 24 * 3600
SHAPE = 2
"""Raise it when what is kept changes."""


@dataclass(frozen=True, kw_only=True)
class JudgeReport:
    """One judging against one round's experts."""

    judging: UUID
    round: int
    name: str
    found: AgainstExperts | None
    anchoring: Anchoring

    @property
    def chart_id(self) -> str:
        """One judging may be beside several rounds."""
        return f"calibration-{self.judging}-{self.round}"


@dataclass(frozen=True, kw_only=True)
class RoundReport:
    """`reviews` of single answers, by the round's version of its rubric, without adjudications."""

    id: UUID
    number: int
    rubric: str
    reviews: int
    experts: int
    overall: Line | None
    criteria: list[Line]
    reviewers: list[Line]
    weeks: list[Line]
    judges: list[JudgeReport]


@dataclass(frozen=True, kw_only=True)
class _Given:
    """Answers with experts' grades, by whether the expert had seen the judge's."""

    blind: list[tuple[UUID, float]]
    seen: list[tuple[UUID, float]]


def reports_of(run: EvaluationRun) -> list[RoundReport]:
    """Of every round of single answers, newest first."""
    rounds = list(
        ReviewRound.objects.filter(run=run, shape=RoundShape.SINGLE)
        .select_related("rubric_version__rubric")
        .order_by("-number")
    )
    judgings = list(run.judgings.filter(state__in=HAS_GRADES).order_by("created_at").defer("summary", "progress"))
    return [_cached(round_, judgings) for round_ in rounds]


def _cached(round_: ReviewRound, judgings: list[Judging]) -> RoundReport:
    key = ":".join((f"agreement:{SHAPE}", evidence_stamp([round_]), *(str(one.id) for one in judgings)))
    found: RoundReport | None = cache.get(key)
    if found is None:
        found = _report(round_, judgings)
        cache.set(key, found, KEPT)
    return found


def _report(round_: ReviewRound, judgings: list[Judging]) -> RoundReport:
    rows = Review.objects.filter(
        round_item__round=round_, rubric_version=round_.rubric_version_id, is_adjudication=False, grade__isnull=False
    )
    columns = ("round_item__answer", "reviewer", "grade", "grades", "updated_at", "has_seen_judge")
    names = _names(User.objects.filter(pk__in=rows.order_by().values("reviewer")))
    ratings: dict[UUID, list[Rating]] = defaultdict(list)
    given = _Given(blind=[], seen=[])
    for answer, reviewer, grade, grades, at, has_seen in rows.values_list(*columns):
        if grade is not None:
            ratings[answer].append(Rating(names[reviewer], grade, grades, at))
            (given.seen if has_seen else given.blind).append((answer, grade))
    items = ratings.values()
    judgings = [one for one in judgings if one.rubric_version_id == round_.rubric_version_id]
    decided = evidence_of(round_).decided if judgings else []
    return RoundReport(
        id=round_.id,
        number=round_.number,
        rubric=str(round_.rubric_version or "Correctness"),
        reviews=sum(map(len, items)),
        experts=len({one.reviewer for found in items for one in found}),
        overall=overall(items) if items else None,
        criteria=by_criterion(items, _scales(round_)),
        reviewers=by_reviewer(items),
        weeks=by_week(items),
        judges=[_judge(judging, round_, given, decided) for judging in judgings],
    )


def _names(people: Iterable[User]) -> dict[int, str]:
    """What pages call each expert: by e-mail address where two have the same name."""
    people = list(people)
    counts = Counter(map(str, people))
    return {one.pk: str(one) if counts[str(one)] == 1 else one.email for one in people}


def _judge(judging: Judging, round_: ReviewRound, given: _Given, decided: list[Decided]) -> JudgeReport:
    shown = example_rows(judging.judges)
    decided = [one for one in decided if one.cluster not in shown]
    grades = Grade.objects.filter(judging=judging, answer__round_items__round=round_)
    scores: dict[UUID, float] = dict(grades.values_list("answer", "score"))
    found = [
        Both(row=one.row, model=one.name, cluster=one.cluster, grade=one.grade, score=scores[one.answer])
        for one in decided
        if one.answer in scores
    ]
    return JudgeReport(
        judging=judging.id,
        round=round_.number,
        name=str(judging),
        found=against_experts(found),
        anchoring=anchoring(_distances(given.seen, scores), _distances(given.blind, scores)),
    )


def _distances(given: list[tuple[UUID, float]], scores: Mapping[UUID, float]) -> list[float]:
    return [abs(grade - scores[answer]) for answer, grade in given if answer in scores]


def _scales(round_: ReviewRound) -> dict[str, list[int]]:
    version = round_.rubric_version
    if version is None:
        return {}
    rubric = parsed({**version.document, "name": version.rubric.name})
    return {one.criterion.name: list(range(one.criterion.lowest, one.criterion.highest + 1)) for one in rubric.criteria}
