"""Reads of evaluations and reviews, for the active tenant."""

from dataclasses import dataclass
from statistics import fmean
from uuid import UUID

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet

from adapters.models import AdapterVersion
from evaluations.backends.base import Message
from evaluations.models import EvaluationItem, EvaluationRun, EvaluationState, Review
from rest.errors import NotFound
from tenants.models import User


def version_named(version_id: UUID) -> AdapterVersion:
    """The adapter version with what `start_evaluation` reads of it; raises NotFound."""
    rows = AdapterVersion.objects.select_related("adapter", "run__dataset_version__dataset")
    version = rows.filter(id=version_id).first()
    if version is None:
        raise NotFound("There is no such adapter version.", field="version")
    return version


def runs() -> QuerySet[EvaluationRun]:
    """Evaluations, newest first, with what a page says of each."""
    return EvaluationRun.objects.select_related("version__adapter", "dataset_version__dataset", "job")


def latest_ready(version: AdapterVersion) -> EvaluationRun | None:
    """The newest evaluation of this version that has figures."""
    return runs().filter(version=version, state=EvaluationState.READY).first()


def known_answers(version: AdapterVersion, limit: int) -> list[tuple[list[Message], str]]:
    """(prompt, the adapter's greedy answer), at most `limit`, from the latest ready evaluation.

    They tell whether an endpoint serves these very weights, so those that differ from the base's answer come first.
    """
    run = latest_ready(version)
    if run is None:
        return []
    items = EvaluationItem.objects.filter(run=run).exclude(answer_adapter="")
    telling = items.annotate(as_base=Q(answer_adapter=F("answer_base"))).order_by("as_base", "position")
    return [(item.messages, item.answer_adapter) for item in telling[:limit]]


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How many of `total` answers one reviewer has graded."""

    done: int
    total: int

    @property
    def fraction(self) -> float:
        return self.done / self.total if self.total else 0.0

    @property
    def left(self) -> int:
        return self.total - self.done


@dataclass(frozen=True, kw_only=True)
class Place:
    """One item's place in a reviewer's queue; `number` counts from 1. `next_open` is the next without a grade."""

    item_id: UUID
    number: int
    previous: UUID | None
    next: UUID | None
    next_open: UUID | None
    progress: Progress


class Queue:
    """A reviewer's items of one evaluation, the most uncertain first, always in the same order."""

    def __init__(self, run: EvaluationRun, reviewer: User) -> None:
        own = Review.objects.filter(item=OuterRef("pk"), reviewer=reviewer)
        rows = EvaluationItem.objects.filter(run=run).order_by("-uncertainty", "position")
        self._rows: list[tuple[UUID, bool]] = list(rows.annotate(graded=Exists(own)).values_list("id", "graded"))
        self._index = {item_id: index for index, (item_id, _) in enumerate(self._rows)}

    @property
    def progress(self) -> Progress:
        return Progress(done=sum(graded for _, graded in self._rows), total=len(self._rows))

    def next_open(self, after: UUID | None = None) -> UUID | None:
        """The next item without the reviewer's grade, from the top again after the last; never `after` itself."""
        start = self._index[after] + 1 if after else 0
        ahead = [*self._rows[start:], *self._rows[:start]]
        return next((item_id for item_id, graded in ahead if not graded and item_id != after), None)

    def place(self, item_id: UUID) -> Place:
        """Where this item of the evaluation stands."""
        index = self._index[item_id]
        return Place(
            item_id=item_id,
            number=index + 1,
            previous=self._rows[index - 1][0] if index else None,
            next=self._rows[index + 1][0] if index + 1 < len(self._rows) else None,
            next_open=self.next_open(item_id),
            progress=self.progress,
        )


@dataclass(frozen=True, kw_only=True)
class Queued:
    """An evaluation in the list of reviews and how far one reviewer is with it."""

    run: EvaluationRun
    progress: Progress


def queues(reviewer: User) -> list[Queued]:
    """The newest ready evaluations with this reviewer's progress."""
    own = Count("items__reviews", filter=Q(items__reviews__reviewer=reviewer), distinct=True)
    ready = runs().filter(state=EvaluationState.READY).annotate(total=Count("items", distinct=True), done=own)
    return [Queued(run=run, progress=Progress(done=run.done, total=run.total)) for run in ready[:50]]


@dataclass(frozen=True, kw_only=True)
class ExpertView:
    """What the experts said of an evaluation: grades from 1 to 5, the means None before the first.

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
    """Rows of an evaluation: `differs` where base and adapter answer differently, `wrong` where the adapter errs."""
    items = EvaluationItem.objects.filter(run=run)
    if slice_name:
        items = items.filter(slice=slice_name)
    if show == "differs":
        items = items.exclude(answer_base=F("answer_adapter"))
    if show == "wrong":
        items = items.filter(scores__adapter__exact_match__lt=1.0)
    return items
