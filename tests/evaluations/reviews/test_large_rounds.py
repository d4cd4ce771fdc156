"""A round of 20,000 answers costs no more queries than a small one, and its next answer is found in time."""

from collections.abc import Callable

import pytest
from django.db import connection
from django.db.models.functions import Now
from django.test.utils import CaptureQueriesContext

from evaluations.models import (
    Answer,
    Assignment,
    EvaluationItem,
    EvaluationRun,
    Review,
    ReviewRound,
    RoundItem,
    Turn,
    TurnState,
)
from evaluations.reviews.queries import progress_of
from evaluations.reviews.queue.services import next_items
from tenants.models import Tenant, User

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

ITEMS = 20_000


@pytest.fixture
def large(in_tenant: Tenant, make_evaluation: Callable[..., EvaluationRun], rita: User, alice: User) -> ReviewRound:
    """Two experts for each of 20,000 answers; Rita has graded half of them."""
    run = make_evaluation(in_tenant, rows=1)
    model = run.models.get(key="v1")
    found: ReviewRound = ReviewRound.objects.create(
        run=run, number=1, candidate=model, seed="large", reviewers_per_item=2
    )
    for person in (rita, alice):
        Assignment.objects.create(round=found, reviewer=person)
    tenant = in_tenant
    items = EvaluationItem.objects.bulk_create(
        EvaluationItem(tenant=tenant, run=run, position=number, messages=[], reference="Yes.")
        for number in range(10, ITEMS + 10)
    )
    answers = Answer.objects.bulk_create(
        Answer(tenant=tenant, item=item, model=model, key="", text="Yes.") for item in items
    )
    places = RoundItem.objects.bulk_create(
        RoundItem(tenant=tenant, round=found, position=number, item=answer.item, answer=answer)
        for number, answer in enumerate(answers, 1)
    )
    graded = places[: ITEMS // 2]
    Turn.objects.bulk_create(
        Turn(tenant=tenant, round_item=place, reviewer=rita, state=TurnState.GRADED, expires_at=Now())
        for place in graded
    )
    Review.objects.bulk_create(
        Review(tenant=tenant, round_item=place, reviewer=rita, grade=4, seconds=20) for place in graded
    )
    with connection.cursor() as cursor:
        for model_class in (RoundItem, Turn, Review):
            cursor.execute(f"ANALYZE {model_class._meta.db_table}")
    return found


def test_the_next_answers_of_a_large_round(large: ReviewRound, rita: User, alice: User) -> None:
    with CaptureQueriesContext(connection) as queries:
        first = next_items(review_round=large, reviewer=rita, ahead=3)
    assert len(queries) <= 9
    assert [RoundItem.objects.get(pk=one).position for one in first] == [10_001, 10_002, 10_003]
    assert RoundItem.objects.get(pk=next_items(review_round=large, reviewer=alice)[0]).position == 1
    with CaptureQueriesContext(connection) as queries:
        progress = progress_of(large, rita)
    assert len(queries) <= 4
    assert (progress.done, progress.left, progress.minutes_left) == (10_000, 10_000, 3_334)
