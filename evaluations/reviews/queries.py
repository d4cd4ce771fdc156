"""A reviewer's queue: what is graded and what comes next."""

from dataclasses import dataclass
from uuid import UUID

from django.db.models import Count, Exists, IntegerField, OuterRef, Sum
from django.db.models.fields.json import KT
from django.db.models.functions import Cast

from evaluations.models import EvaluationItem, EvaluationRun, EvaluationState, Review
from evaluations.runs.queries import latest_ready_runs
from tenants.models import User

QUEUES_SHOWN = 50


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How many of `total` answers one reviewer has graded."""

    done: int
    total: int

    @property
    def left(self) -> int:
        return self.total - self.done


@dataclass(frozen=True, kw_only=True)
class Place:
    """One item's place in a reviewer's queue; `number` counts from 1. `next_open` is the next without a grade."""

    number: int
    previous: UUID | None
    next: UUID | None
    next_open: UUID | None


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
            number=index + 1,
            previous=self._rows[index - 1][0] if index else None,
            next=self._rows[index + 1][0] if index + 1 < len(self._rows) else None,
            next_open=self.next_open(item_id),
        )


@dataclass(frozen=True, kw_only=True)
class Queued:
    """An evaluation in the list of reviews, with one reviewer's progress."""

    run: EvaluationRun
    progress: Progress


def queues(reviewer: User) -> list[Queued]:
    """The newest ready evaluations with this reviewer's progress."""
    shown = latest_ready_runs(QUEUES_SHOWN)
    items = EvaluationItem.objects.filter(run__in=shown).order_by().values_list("run_id")
    own = Review.objects.filter(item__run__in=shown, reviewer=reviewer).values_list("item__run_id")
    total, done = (dict(rows.annotate(Count("id"))) for rows in (items, own))
    return [Queued(run=run, progress=Progress(done=done.get(run.id, 0), total=total.get(run.id, 0))) for run in shown]


def open_reviews() -> int:
    """How many answers of ready evaluations nobody has graded yet."""
    ready = EvaluationRun.objects.filter(state=EvaluationState.READY).order_by()
    # Each evaluation knows how many rows it has, and only answers of ready ones can have a grade: neither number needs
    # the answers themselves, which are many and large.
    rows = Cast(KT("summary__all__rows"), IntegerField())
    total = ready.aggregate(total=Sum(rows))["total"] or 0
    graded = Review.objects.aggregate(graded=Count("item", distinct=True))["graded"]
    return int(total) - int(graded)
