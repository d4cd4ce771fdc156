"""Experts' grades of the answers of an evaluation, and which of them a person sees."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Q, QuerySet

from evaluations.models import EvaluationItem, EvaluationRun, Review, RoundState
from tenants.models import User


@dataclass(frozen=True, kw_only=True)
class AnswerGrades:
    """Reviews of one answer, oldest first. `hidden` is the number of those kept from the viewer."""

    shown: list[Review]
    hidden: int

    @property
    def any(self) -> bool:
        return bool(self.shown or self.hidden)


NONE = AnswerGrades(shown=[], hidden=0)

GradesByAnswer = dict[UUID, AnswerGrades]


def reviews_of(run: EvaluationRun) -> QuerySet[Review]:
    """All reviews of an evaluation's answers, those of pairs too."""
    found: QuerySet[Review] = Review.objects.filter(round_item__round__run=run)
    return found


def is_blind(run: EvaluationRun, viewer: User | None) -> bool:
    """Whether the viewer grades in an open round of this evaluation, and must not be led by others.

    `viewer` is None for a program without a person.
    """
    if viewer is None:
        return False
    return run.rounds.filter(state=RoundState.OPEN, assignments__reviewer=viewer).exists()


def seen_by(run: EvaluationRun, viewer: User | None) -> QuerySet[Review]:
    """The reviews that a viewer may know: whoever grades here sees only those of answers that they have graded."""
    reviews = reviews_of(run)
    if not is_blind(run, viewer):
        return reviews
    own = reviews.filter(reviewer=viewer)
    # Of a pair, the expert has seen and graded both.
    return reviews.filter(
        Q(round_item__answer__in=own.values("round_item__answer"))
        | Q(round_item__answer__in=own.values("round_item__other"))
    )


def grades_of(run: EvaluationRun, items: Sequence[EvaluationItem], viewer: User | None) -> GradesByAnswer:
    """The reviews of each answer to the run's `items`; answers without any are left out."""
    given: dict[UUID, list[Review]] = defaultdict(list)
    reviews = reviews_of(run).filter(round_item__item__in=items)
    for review in reviews.select_related("reviewer", "rubric_version", "round_item__other__model").order_by(
        "created_at"
    ):
        given[review.round_item.answer_id].append(review)
    reviewer = viewer if is_blind(run, viewer) else None
    return {answer_id: _seen(found, reviewer) for answer_id, found in given.items()}


def _seen(reviews: list[Review], reviewer: User | None) -> AnswerGrades:
    if reviewer is None or any(review.reviewer_id == reviewer.id for review in reviews):
        return AnswerGrades(shown=reviews, hidden=0)
    return AnswerGrades(shown=[], hidden=len(reviews))
