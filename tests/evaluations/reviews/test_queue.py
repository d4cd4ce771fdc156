"""Whose turn an answer is: reserved, extended, expired, graded again after the rubric changed."""

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import pytest
from django.db.models.functions import Now

from evaluations.models import EvaluationRun, Review, ReviewRound, RoundItem, Rubric, Turn, TurnState
from evaluations.reviews.errors import NotYourItem, RoundClosed
from evaluations.reviews.queries import left_out, progress_of
from evaluations.reviews.queue.given import Given
from evaluations.reviews.queue.services import (
    adjudicate,
    next_items,
    record_review,
    skip_item,
    take_back_review,
)
from evaluations.reviews.rounds.services import change_round, close_round
from evaluations.rubrics.document import RubricDocument, parsed
from evaluations.rubrics.services import change_rubric, create_rubric
from rest.errors import Conflict, PortalError
from tenants.models import AuditEvent, Tenant, User
from tests.evaluations.reviews.rounds import start

pytestmark = pytest.mark.django_db


@pytest.fixture
def by_one(in_tenant: Tenant, evaluation: EvaluationRun, rita: User, alice: User) -> ReviewRound:
    return start(evaluation, rita, alice)


@pytest.fixture
def rubric(in_tenant: Tenant) -> Rubric:
    return create_rubric(tenant=in_tenant, document=criteria("Facts"))


def criteria(*names: str) -> RubricDocument:
    return parsed({"name": "R", "criteria": [{"name": name, "description": "?"} for name in names]})


def item(item_id: UUID) -> RoundItem:
    found: RoundItem = RoundItem.objects.get(pk=item_id)
    return found


def positions(ids: list[UUID]) -> list[int]:
    return [item(one).position for one in ids]


def test_items_come_in_order_and_stay_until_graded(by_one: ReviewRound, rita: User, alice: User) -> None:
    first = next_items(review_round=by_one, reviewer=rita, ahead=3)
    assert positions(first) == [1, 2, 3]
    assert next_items(review_round=by_one, reviewer=rita, ahead=2) == first[:2]
    assert positions(next_items(review_round=by_one, reviewer=alice, ahead=5)) == [4, 5, 6]
    record_review(item=item(first[0]), reviewer=rita, given=Given(grade=4))
    assert next_items(review_round=by_one, reviewer=rita, ahead=3) == first[1:]


def test_an_expired_reservation_is_free_and_a_late_grade_still_counts(
    by_one: ReviewRound, rita: User, alice: User
) -> None:
    (first,) = next_items(review_round=by_one, reviewer=rita)
    Turn.objects.update(expires_at=Now() - timedelta(seconds=1))
    assert next_items(review_round=by_one, reviewer=alice) == [first]
    # Rita's comes too late for her to keep it, though what she sends is not lost.
    assert positions(next_items(review_round=by_one, reviewer=rita)) == [2]
    record_review(item=item(first), reviewer=alice, given=Given(grade=4))
    record_review(item=item(first), reviewer=rita, given=Given(grade=2))
    assert Review.objects.filter(round_item=first).count() == 2
    assert item(first).is_decided


def test_an_expired_reservation_that_nobody_took_is_still_the_first(by_one: ReviewRound, rita: User) -> None:
    ids = next_items(review_round=by_one, reviewer=rita, ahead=2)
    Turn.objects.update(expires_at=Now() - timedelta(seconds=1))
    assert next_items(review_round=by_one, reviewer=rita, ahead=2) == ids
    assert Turn.objects.filter(expires_at__gt=Now()).count() == 2


def test_never_more_experts_than_wanted(
    in_tenant: Tenant, evaluation: EvaluationRun, rita: User, alice: User, bob: User
) -> None:
    by_two = start(evaluation, rita, alice, bob, reviewers_per_item=2)
    assert positions(next_items(review_round=by_two, reviewer=rita)) == [1]
    (first,) = next_items(review_round=by_two, reviewer=alice)
    assert positions(next_items(review_round=by_two, reviewer=bob)) == [2]
    record_review(item=item(first), reviewer=alice, given=Given(grade=4))
    assert not item(first).is_decided
    record_review(item=item(first), reviewer=rita, given=Given(grade=4))
    assert item(first).is_decided


def test_whoever_is_not_assigned_gets_nothing(by_one: ReviewRound, bob: User, rita: User) -> None:
    assert next_items(review_round=by_one, reviewer=bob) == []
    (first,) = next_items(review_round=by_one, reviewer=rita)
    with pytest.raises(NotYourItem):
        record_review(item=item(first), reviewer=bob, given=Given(grade=4))


def test_the_same_review_counts_once_and_is_told_once(by_one: ReviewRound, rita: User) -> None:
    (first,) = next_items(review_round=by_one, reviewer=rita)
    given = Given(grade=4, comment=" Fine. ", seconds=10.0)
    reviews = [record_review(item=item(first), reviewer=rita, given=given) for _ in range(3)]
    assert len({review.pk for review in reviews}) == 1
    assert AuditEvent.objects.filter(action="review.graded").count() == 1
    record_review(item=item(first), reviewer=rita, given=Given(grade=2))
    assert Review.objects.get().grade == 2
    assert AuditEvent.objects.filter(action="review.graded").count() == 2


def test_taking_back_makes_it_the_next_again(by_one: ReviewRound, rita: User) -> None:
    first, second = next_items(review_round=by_one, reviewer=rita, ahead=2)
    record_review(item=item(first), reviewer=rita, given=Given(grade=4))
    skip_item(item=item(second), reviewer=rita, reason="Too hard.")
    assert positions(next_items(review_round=by_one, reviewer=rita)) == [3]
    take_back_review(item=item(first), reviewer=rita)
    take_back_review(item=item(second), reviewer=rita)
    assert next_items(review_round=by_one, reviewer=rita, ahead=2) == [first, second]
    assert not Review.objects.exists()
    assert not item(first).is_decided


def test_what_everybody_skipped_is_left_out(by_one: ReviewRound, rita: User, alice: User) -> None:
    (first,) = next_items(review_round=by_one, reviewer=rita)
    skip_item(item=item(first), reviewer=rita)
    assert not left_out(by_one).exists()
    assert next_items(review_round=by_one, reviewer=alice) == [first]
    skip_item(item=item(first), reviewer=alice, reason="x" * 200)
    assert [one.pk for one in left_out(by_one)] == [first]
    with pytest.raises(PortalError, match="201"):
        skip_item(item=item(first), reviewer=alice, reason="x" * 201)


def test_a_graded_answer_is_not_skipped(by_one: ReviewRound, rita: User) -> None:
    (first,) = next_items(review_round=by_one, reviewer=rita)
    record_review(item=item(first), reviewer=rita, given=Given(grade=4))
    with pytest.raises(Conflict):
        skip_item(item=item(first), reviewer=rita)


def test_a_closed_round_takes_no_grades(by_one: ReviewRound, rita: User) -> None:
    first, second = next_items(review_round=by_one, reviewer=rita, ahead=2)
    record_review(item=item(first), reviewer=rita, given=Given(grade=4))
    close_round(review_round=by_one)
    by_one.refresh_from_db()
    assert next_items(review_round=by_one, reviewer=rita) == []
    for item_id in (first, second):
        with pytest.raises(RoundClosed):
            record_review(item=item(item_id), reviewer=rita, given=Given(grade=1))
    with pytest.raises(RoundClosed):
        take_back_review(item=item(first), reviewer=rita)
    with pytest.raises(RoundClosed):
        close_round(review_round=by_one)


def test_a_newer_rubric_brings_graded_answers_back_first(
    in_tenant: Tenant, evaluation: EvaluationRun, rita: User, alice: User, rubric: Rubric
) -> None:
    by_one = start(evaluation, rita, alice, rubric_version=rubric.versions.get())
    graded = next_items(review_round=by_one, reviewer=rita, ahead=2)
    others = next_items(review_round=by_one, reviewer=alice, ahead=1)
    for item_id in graded:
        record_review(item=item(item_id), reviewer=rita, given=Given(grades={"Facts": 5}))
    change_rubric(rubric=rubric, document=criteria("Facts", "Style"))
    newer = rubric.versions.get(number=2)
    change_round(review_round=by_one, rubric_version=newer)
    by_one.refresh_from_db()
    assert not RoundItem.objects.filter(is_decided=True).exists()
    assert progress_of(by_one, rita).done == 0
    assert next_items(review_round=by_one, reviewer=rita, ahead=2) == graded
    assert next_items(review_round=by_one, reviewer=alice, ahead=1) == others
    with pytest.raises(PortalError, match="Style"):
        record_review(item=item(graded[0]), reviewer=rita, given=Given(grades={"Facts": 5}))
    record_review(item=item(graded[0]), reviewer=rita, given=Given(grades={"Facts": 5, "Style": 3}))
    review = Review.objects.get(round_item=graded[0])
    assert (review.grade, review.rubric_version) == (4.0, newer)
    assert item(graded[0]).is_decided
    with pytest.raises(PortalError, match="newer"):
        change_round(review_round=by_one, rubric_version=rubric.versions.get(number=1))


def test_the_last_word_decides(by_one: ReviewRound, rita: User, bob: User) -> None:
    (first,) = next_items(review_round=by_one, reviewer=rita)
    with pytest.raises(Conflict):
        adjudicate(item=item(first), adjudicator=bob, given=Given(grade=4))
    record_review(item=item(first), reviewer=rita, given=Given(grade=4))
    adjudicate(item=item(first), adjudicator=bob, given=Given(grade=2))
    adjudicate(item=item(first), adjudicator=rita, given=Given(grade=1))
    assert sorted(Review.objects.values_list("grade", "is_adjudication")) == [(1, True), (4, False)]


def test_the_time_left_is_told_from_the_third_grade_on(by_one: ReviewRound, rita: User) -> None:
    for seconds in (30.0, 60.0):
        (first,) = next_items(review_round=by_one, reviewer=rita)
        record_review(item=item(first), reviewer=rita, given=Given(grade=4, seconds=seconds))
    assert progress_of(by_one, rita).minutes_left is None
    (first,) = next_items(review_round=by_one, reviewer=rita)
    record_review(item=item(first), reviewer=rita, given=Given(grade=4, seconds=50.0))
    found = progress_of(by_one, rita)
    assert (found.done, found.left, found.minutes_left) == (3, 3, 3)


def test_a_round_needs_answers_people_and_sense(
    in_tenant: Tenant, evaluation: EvaluationRun, rita: User, charlie: User, make_evaluation: Callable[..., object]
) -> None:
    with pytest.raises(PortalError, match="at least 2"):
        start(evaluation, rita, reviewers_per_item=2)
    with pytest.raises(PortalError, match="members"):
        start(evaluation, charlie)
    EvaluationRun.objects.update(state="running")
    evaluation.refresh_from_db()
    with pytest.raises(Conflict, match="not ready"):
        start(evaluation, rita)


def test_turns_say_what_became_of_them(by_one: ReviewRound, rita: User) -> None:
    first, second = next_items(review_round=by_one, reviewer=rita, ahead=2)
    record_review(item=item(first), reviewer=rita, given=Given(grade=4))
    skip_item(item=item(second), reviewer=rita)
    assert sorted(Turn.objects.values_list("state", flat=True)) == [TurnState.GRADED, TurnState.SKIPPED]
