"""Experts' grades on the rows of an evaluation, and which of them a person sees."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from evaluations.models import EvaluationItem, EvaluationRun, Review
from tenants.models import User


@dataclass(frozen=True, kw_only=True)
class RowGrades:
    """Grades of one row, oldest first. `hidden` is the number of those kept from the viewer."""

    shown: list[Review]
    hidden: int

    @property
    def any(self) -> bool:
        return bool(self.shown or self.hidden)


def grades_of(run: EvaluationRun, items: Sequence[EvaluationItem], viewer: User | None) -> dict[UUID, RowGrades]:
    """The grades of each of the run's `items`; `viewer` is None for a program without a person.

    Whoever reviews this evaluation sees others' grades of a row only after grading it, so that no expert is led by
    another.
    """
    given = defaultdict(list)
    for review in Review.objects.filter(item__in=items).select_related("reviewer").order_by("created_at"):
        given[review.item_id].append(review)
    reviews_it = viewer is not None and Review.objects.filter(item__run=run, reviewer=viewer).exists()
    return {item.id: _seen(given[item.id], viewer if reviews_it else None) for item in items}


def _seen(reviews: list[Review], reviewer: User | None) -> RowGrades:
    if reviewer is None or any(review.reviewer_id == reviewer.id for review in reviews):
        return RowGrades(shown=reviews, hidden=0)
    return RowGrades(shown=[], hidden=len(reviews))
