"""Rounds of all answers of a model, and grades in them."""

from collections.abc import Sequence

from django.db.models.functions import Now

from evaluations.models import (
    Assignment,
    EvaluationItem,
    EvaluationRun,
    Review,
    ReviewRound,
    RoundItem,
    RubricVersion,
    Turn,
)
from evaluations.reviews.queue.given import Given
from evaluations.reviews.queue.services import record_review
from evaluations.reviews.queue.turns import RESERVED_FOR
from evaluations.reviews.rounds.draw import Shares
from evaluations.reviews.rounds.services import Design, start_round
from tenants.models import User

UNIFORM = Shares(uniform=1, adversarial=0)


def start(
    run: EvaluationRun,
    *reviewers: User,
    reviewers_per_item: int = 1,
    labels: int = 1_000,
    rubric_version: RubricVersion | None = None,
    shares: Shares = UNIFORM,
) -> ReviewRound:
    """A round of all answers of the evaluated version, by default in random order."""
    design = Design(labels=labels, shares=shares, reviewers_per_item=reviewers_per_item, rubric_version=rubric_version)
    return start_round(tenant=run.tenant, run=run, design=design, reviewers=reviewers)


def graded(item: EvaluationItem, reviewer: User, grade: int, comment: str = "") -> Review:
    """A grade of the evaluated version's answer to a row, in a round of its evaluation that has every answer.

    Whoever grades is assigned.
    """
    found = ReviewRound.objects.filter(run=item.run_id).first()
    if found is None:
        found = start(item.run, reviewer)
        ReviewRound.objects.filter(pk=found.pk).update(reviewers_per_item=9)
    Assignment.objects.get_or_create(tenant=found.tenant, round=found, reviewer=reviewer)
    place = RoundItem.objects.get(round=found, item=item)
    hand_out([place], reviewer)
    return record_review(item=place, reviewer=reviewer, given=Given(grade=grade, comment=comment))


def hand_out(items: Sequence[RoundItem], reviewer: User) -> None:
    for item in items:
        Turn.objects.get_or_create(
            tenant_id=item.tenant_id,
            round_item=item,
            reviewer=reviewer,
            defaults={"expires_at": Now() + RESERVED_FOR},
        )
