"""Review rounds with reviews, as rows of the database."""

from collections.abc import Sequence
from random import Random

from evaluations.models import (
    Assignment,
    Choice,
    EvaluatedModel,
    EvaluationRun,
    Review,
    ReviewRound,
    RoundItem,
    RoundShape,
)
from tenants.models import User


def make_round(
    run: EvaluationRun, reviewers: Sequence[User], *, shape: RoundShape = RoundShape.SINGLE, per_item: int = 1
) -> ReviewRound:
    """All rows of the evaluation, in random order, for its own version."""
    models = {model.key: model for model in EvaluatedModel.objects.filter(run=run)}
    own = next(model for model in models.values() if model.version_id == run.version_id)
    pair = shape == RoundShape.PAIR
    found: ReviewRound = ReviewRound.objects.create(
        tenant_id=run.tenant_id,
        run=run,
        number=ReviewRound.objects.filter(run=run).count() + 1,
        candidate=own,
        against=models["base"] if pair else None,
        shape=shape,
        reviewers_per_item=per_item,
        seed="7",
    )
    rows = list(run.items.all())
    Random(7).shuffle(rows)
    for position, row in enumerate(rows, 1):
        answers = {answer.model_id: answer for answer in row.answers.all()}
        RoundItem.objects.create(
            tenant_id=run.tenant_id,
            round=found,
            position=position,
            item=row,
            answer=answers[own.id],
            other=answers[models["base"].id] if pair else None,
            probability=1.0,
        )
    for reviewer in reviewers:
        Assignment.objects.create(tenant_id=run.tenant_id, round=found, reviewer=reviewer)
    return found


def grade_next(found: ReviewRound, reviewer: User, grade: float | Choice, *, count: int = 1) -> list[Review]:
    """Give the same verdict of the next undecided items."""
    made = []
    for item in RoundItem.objects.filter(round=found, is_decided=False).order_by("position")[:count]:
        values = {"choice": grade} if isinstance(grade, Choice) else {"grade": grade}
        review = Review.objects.create(
            tenant_id=found.tenant_id, round_item=item, reviewer=reviewer, seconds=30.0, **values
        )
        if item.reviews.values("reviewer").distinct().count() >= found.reviewers_per_item:
            RoundItem.objects.filter(id=item.id).update(is_decided=True)
        made.append(review)
    return made


def take_back(review: Review) -> None:
    """As the screen's undo does."""
    RoundItem.objects.filter(id=review.round_item_id).update(is_decided=False)
    review.delete()
