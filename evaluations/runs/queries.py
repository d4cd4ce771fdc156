"""Reads of evaluations, for the active tenant."""

from dataclasses import dataclass
from statistics import fmean

from django.db.models import Exists, F, OuterRef, Q, QuerySet

from adapters.models import AdapterVersion
from evaluations.judges.backends.base import Message
from evaluations.models import EvaluationItem, EvaluationRun, EvaluationState, Review

LARGE = ("version__manifest", "dataset_version__problems", "job__spec", "job__result")
"""Fields that no page of an evaluation shows."""

MOST_READ = 100
"""Rows in which to look for plain ones."""


def runs() -> QuerySet[EvaluationRun]:
    """Evaluations, newest first, with what lists show."""
    return _runs().defer(*LARGE, "dataset_version__profile")


def runs_with_findings() -> QuerySet[EvaluationRun]:
    """Evaluations, newest first, also with what the check of their dataset version found."""
    return _runs().defer(*LARGE)


def _runs() -> QuerySet[EvaluationRun]:
    return EvaluationRun.objects.select_related("version__adapter", "dataset_version__dataset", "job")


def ready_runs() -> QuerySet[EvaluationRun]:
    """Evaluations that have figures and can be reviewed, newest first."""
    return runs().filter(state=EvaluationState.READY)


def latest_ready_runs(count: int) -> list[EvaluationRun]:
    """The newest evaluations that have figures. They are chosen before anything is joined to them."""
    newest = EvaluationRun.objects.filter(state=EvaluationState.READY).values_list("id", flat=True)[:count]
    return list(runs().filter(id__in=list(newest)))


def latest_ready(version: AdapterVersion) -> EvaluationRun | None:
    """The newest evaluation of this version that has figures, with what its data's check found."""
    return runs_with_findings().filter(state=EvaluationState.READY, version=version).first()


def known_answers(version: AdapterVersion, limit: int) -> list[tuple[list[Message], str]]:
    """(prompt, the adapter's greedy answer), at most `limit`, from the latest ready evaluation.

    They show whether an endpoint serves exactly these weights, so answers that differ from the base come first. Prompts
    with tools are left out, for an endpoint would be asked something else.
    """
    run = latest_ready(version)
    if run is None:
        return []
    items = EvaluationItem.objects.filter(run=run).filter(tools=[]).exclude(answer_adapter="")
    telling = items.annotate(as_base=Q(answer_adapter=F("answer_base"))).order_by("as_base", "position")
    plain = [item for item in telling[:MOST_READ] if item.is_plain]
    return [(item.messages, item.answer_adapter) for item in plain[:limit]]


@dataclass(frozen=True, kw_only=True)
class ExpertView:
    """Experts' grades of an evaluation, from 1 to 5. Means are None before the first.

    `judge_mean` is the judge's mean over the same answers, so that the two can be compared.
    """

    reviewed: int
    total: int
    reviewers: int
    grades: int
    mean: float | None
    judge_mean: float | None
    by_grade: list[tuple[int, int]]

    @property
    def fraction(self) -> float:
        return self.reviewed / self.total if self.total else 0.0


def expert_view(run: EvaluationRun) -> ExpertView:
    """All reviewers' grades of this evaluation."""
    columns = ("item_id", "reviewer_id", "grade", "item__judgement__adapter__score")
    rows = list(Review.objects.filter(item__run=run).values_list(*columns))
    judged = {item_id: score for item_id, _, _, score in rows}
    grades = [grade for _, _, grade, _ in rows]
    return ExpertView(
        reviewed=len(judged),
        total=EvaluationItem.objects.filter(run=run).count(),
        reviewers=len({reviewer_id for _, reviewer_id, _, _ in rows}),
        grades=len(grades),
        mean=fmean(grades) if grades else None,
        judge_mean=fmean(judged.values()) if judged else None,
        by_grade=[(grade, grades.count(grade)) for grade in range(5, 0, -1)],
    )


def filtered_items(run: EvaluationRun, *, show: str = "all", slice_name: str = "") -> QuerySet[EvaluationItem]:
    """Rows of an evaluation.

    `differs` where base and adapter answer differently, `wrong` where the adapter errs, `graded` and `commented` by
    experts.
    """
    items = EvaluationItem.objects.filter(run=run)
    reviews = Review.objects.filter(item=OuterRef("pk"))
    if slice_name:
        items = items.filter(slice=slice_name)
    if show == "differs":
        items = items.exclude(answer_base=F("answer_adapter"))
    if show == "wrong":
        items = items.filter(scores__adapter__exact_match__lt=1.0)
    if show == "graded":
        items = items.filter(Exists(reviews))
    if show == "commented":
        items = items.filter(Exists(reviews.exclude(comment="")))
    return items
