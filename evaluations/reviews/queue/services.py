"""Every write of experts: reserve the next items, grade, take back, skip, and settle disagreements."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models.functions import Now

from evaluations.judging import news
from evaluations.models import Grade, Review, ReviewRound, RoundItem, RoundState, Turn, TurnState
from evaluations.reviews.errors import NotYourItem, RoundClosed, WrongReview
from evaluations.reviews.queue.given import Given, checked
from evaluations.reviews.queue.turns import RESERVED_FOR, reserve
from rest.errors import Conflict
from tenants.audit.services import record_event
from tenants.models import User

MAX_REASON = 200
NEWS_EVERY = 10
"""Decided items of a round after which its judges are looked at again."""


def next_items(*, review_round: ReviewRound, reviewer: User, ahead: int = 1) -> list[UUID]:
    """The ids of the reviewer's next items, reserved for them; none if they are not assigned or nothing is left.

    The same ones until they are graded or skipped. Never more experts hold an item than should grade it.
    """
    return reserve(review_round, reviewer, ahead)


@transaction.atomic
def record_review(*, item: RoundItem, reviewer: User, given: Given) -> Review:
    """Store what an expert said of an item handed to them, in place of what they said before.

    Sent twice, it counts once. A grade that comes after its reservation has expired counts too, for an expert's time is
    never thrown away.
    """
    item = _locked(item)
    turn = _turn(item, reviewer)
    values = checked(given, item)
    review = Review.objects.filter(round_item=item, reviewer=reviewer, is_adjudication=False).first()
    if review is not None and turn.state == TurnState.GRADED and _says(review, values):
        return review
    values["has_seen_judge"] = turn.has_seen_judge
    before = _audited(review) if review is not None else None
    review = review or Review(tenant_id=item.tenant_id, round_item=item, reviewer=reviewer)
    for name, value in values.items():
        setattr(review, name, value)
    review.save()
    turn.state, turn.reason = TurnState.GRADED, ""
    turn.save(update_fields=["state", "reason"])
    _settle(item)
    record_event("review.graded", review, before=before, after=_audited(review))
    return review


@transaction.atomic
def reveal_judge(*, item: RoundItem, reviewer: User) -> Grade | None:
    """The judge's grade of an answer that the reviewer has graded, if the round shows it; None where there is none.

    From then on, what the reviewer says of the answer counts as said with the judge's grade in view. The grade they had
    given before is what the judge is compared with.
    """
    given = Review.objects.filter(round_item=item, reviewer=reviewer, is_adjudication=False).first()
    if given is None or not item.round.shows_judge or item.other_id is not None:
        return None
    judging = item.round.run.last_judging
    grade: Grade | None = Grade.objects.filter(judging=judging, answer=item.answer_id).first()
    if grade is not None:
        turns = Turn.objects.filter(round_item=item, reviewer=reviewer, has_seen_judge=False)
        turns.update(has_seen_judge=True, blind_grade=given.grade)
    return grade


@transaction.atomic
def take_back_review(*, item: RoundItem, reviewer: User) -> None:
    """Undo a grade or a skip: the item is the reviewer's next one again."""
    item = _locked(item)
    turn = _turn(item, reviewer)
    if turn.state == TurnState.RESERVED:
        return
    review = Review.objects.filter(round_item=item, reviewer=reviewer, is_adjudication=False).first()
    before = {"state": turn.state, **(_audited(review) if review is not None else {})}
    if review is not None:
        review.delete()
    turn.state, turn.reason, turn.expires_at = TurnState.RESERVED, "", Now() + RESERVED_FOR
    turn.save(update_fields=["state", "reason", "expires_at"])
    _settle(item)
    record_event("review.taken_back", item, before=before, after={"reviewer": reviewer.email})


@transaction.atomic
def skip_item(*, item: RoundItem, reviewer: User, reason: str = "") -> Turn:
    """Pass an item on to others; it does not come back to this reviewer unless they undo it."""
    item = _locked(item)
    turn = _turn(item, reviewer)
    reason = reason.strip()
    if len(reason) > MAX_REASON:
        raise WrongReview(
            f"A reason can have up to {MAX_REASON} characters. Yours has {len(reason)}.",
            code="review:reason_too_long",
            field="reason",
        )
    if turn.state == TurnState.GRADED:
        raise Conflict("You graded this answer. Undo the grade before you skip it.", code="review:graded")
    if turn.state == TurnState.SKIPPED and turn.reason == reason:
        return turn
    turn.state, turn.reason = TurnState.SKIPPED, reason
    turn.save(update_fields=["state", "reason"])
    record_event("review.skipped", item, after={"reviewer": reviewer.email, "has_reason": bool(reason)})
    return turn


@transaction.atomic
def adjudicate(*, item: RoundItem, adjudicator: User, given: Given) -> Review:
    """Settle an item on which experts disagree. The last word counts; theirs stay to be seen."""
    item = _locked(item)
    values = checked(given, item)
    if not Review.objects.filter(round_item=item, is_adjudication=False).exists():
        raise Conflict("Nobody has graded this answer yet.", code="review:nothing_to_settle")
    review = Review.objects.filter(round_item=item, is_adjudication=True).first()
    before = _audited(review) if review is not None else None
    review = review or Review(tenant_id=item.tenant_id, round_item=item, is_adjudication=True)
    review.reviewer = adjudicator
    for name, value in values.items():
        setattr(review, name, value)
    review.save()
    _settle(item)
    record_event("review.adjudicated", review, before=before, after=_audited(review))
    return review


def _locked(item: RoundItem) -> RoundItem:
    """The item with its round as it is now. Raises RoundClosed."""
    RoundItem.objects.select_for_update().get(pk=item.pk)
    # Read after the lock is there: a round that changes holds it meanwhile.
    found: RoundItem = RoundItem.objects.select_related("round__rubric_version", "answer", "other", "item").get(
        pk=item.pk
    )
    if found.round.state != RoundState.OPEN:
        raise RoundClosed
    return found


def _turn(item: RoundItem, reviewer: User) -> Turn:
    turn: Turn | None = Turn.objects.filter(round_item=item, reviewer=reviewer).first()
    if turn is None:
        raise NotYourItem
    return turn


def _settle(item: RoundItem) -> None:
    """Keep on the item whether it is decided."""
    reviews = Review.objects.filter(round_item=item, rubric_version=item.round.rubric_version_id)
    kinds = list(reviews.values_list("is_adjudication", flat=True))
    is_decided = any(kinds) or len(kinds) >= item.round.reviewers_per_item
    if is_decided != item.is_decided:
        item.is_decided = is_decided
        item.save(update_fields=["is_decided"])
        if RoundItem.objects.filter(round=item.round, is_decided=True).count() % NEWS_EVERY == 0:
            news.announce(item.tenant_id)


def _says(review: Review, values: Mapping[str, Any]) -> bool:
    compared = {name: value for name, value in values.items() if name != "rubric_version"}
    same = all(getattr(review, name) == value for name, value in compared.items())
    return same and review.rubric_version_id == (values["rubric_version"].id if values["rubric_version"] else None)


def _audited(review: Review) -> dict[str, Any]:
    """Never what an expert wrote, which may quote a customer."""
    return {
        "item": review.round_item_id,
        "reviewer": review.reviewer.email,
        "grade": review.grade,
        "grades": review.grades,
        "choice": review.choice,
        "rubric_version": review.rubric_version_id,
    }
