"""Two reviewers ask for the same answer at the same moment: one gets it."""

from collections.abc import Callable
from threading import Barrier, Thread
from uuid import UUID

import pytest
from django.db import connection, transaction

from evaluations.models import EvaluationRun, ReviewRound, RoundItem, Turn, TurnState
from evaluations.reviews.queue.given import Given
from evaluations.reviews.queue.services import next_items, record_review
from tenants.models import Tenant, User
from tenants.scope import tenant_scope
from tests.evaluations.reviews.rounds import start
from tests.examples import is_thorough
from tests.locks import wait_until_somebody_waits_for_a_lock

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

RACES = 1_000 if is_thorough() else 200
Ask = Callable[[ReviewRound, User], object]


def raced(review_round: ReviewRound, people: list[User], times: int, ask: Ask, prepare: Callable[[], None]) -> None:
    """Let every person do `ask` at once, `times` times; `prepare` comes before each time."""
    ready, done = Barrier(len(people) + 1), Barrier(len(people) + 1)
    errors: list[BaseException] = []

    def work(person: User) -> None:
        try:
            for _ in range(times):
                ready.wait(30)
                with tenant_scope(review_round.tenant_id):
                    ask(review_round, person)
                done.wait(30)
        except BaseException as error:
            errors.append(error)
            ready.abort()
            done.abort()
        finally:
            connection.close()

    threads = [Thread(target=work, args=(person,)) for person in people]
    for thread in threads:
        thread.start()
    try:
        for _ in range(times):
            prepare()
            ready.wait(30)
            done.wait(30)
    finally:
        for thread in threads:
            thread.join()
    assert not errors


@pytest.fixture
def one_answer(tenant: Tenant, make_evaluation: Callable[..., EvaluationRun], rita: User, alice: User) -> ReviewRound:
    with tenant_scope(tenant.id):
        return start(make_evaluation(tenant, rows=1), rita, alice)


def test_of_two_reviewers_one_reserves_it_each_time(
    tenant: Tenant, one_answer: ReviewRound, rita: User, alice: User
) -> None:
    got: list[list[UUID]] = []
    counts: list[int] = []

    def prepare() -> None:
        with tenant_scope(tenant.id):
            if got:
                counts.append(Turn.objects.count())
            Turn.objects.all().delete()

    def ask(review_round: ReviewRound, person: User) -> None:
        got.append(next_items(review_round=review_round, reviewer=person))

    raced(one_answer, [rita, alice], RACES, ask, prepare)
    with tenant_scope(tenant.id):
        counts.append(Turn.objects.count())
    assert counts == [1] * RACES
    assert sorted(len(items) for items in got) == [0] * RACES + [1] * RACES


def test_one_grade_sent_at_once_by_several_tabs_counts_once(
    tenant: Tenant, one_answer: ReviewRound, rita: User
) -> None:
    with tenant_scope(tenant.id):
        (item_id,) = next_items(review_round=one_answer, reviewer=rita)
        item = RoundItem.objects.get(pk=item_id)

    def ask(review_round: ReviewRound, person: User) -> None:
        record_review(item=item, reviewer=person, given=Given(grade=4))

    raced(one_answer, [rita, rita], 50, ask, lambda: None)
    with tenant_scope(tenant.id):
        assert item.reviews.count() == 1
        assert RoundItem.objects.get(pk=item_id).is_decided


def test_an_answer_graded_while_more_are_asked_for_is_not_handed_out_again(
    tenant: Tenant, make_evaluation: Callable[..., EvaluationRun], rita: User, alice: User
) -> None:
    got: list[UUID] = []

    def ask() -> None:
        try:
            with tenant_scope(tenant.id):
                got.extend(next_items(review_round=review_round, reviewer=rita, ahead=2))
        finally:
            connection.close()

    with tenant_scope(tenant.id):
        # A second expert's grade is still to come, so the item stays undecided.
        review_round = start(make_evaluation(tenant, rows=3), rita, alice, reviewers_per_item=2)
        first, second = next_items(review_round=review_round, reviewer=rita, ahead=2)
        with transaction.atomic():
            record_review(item=RoundItem.objects.get(pk=first), reviewer=rita, given=Given(grade=4))
            thread = Thread(target=ask)
            thread.start()
            wait_until_somebody_waits_for_a_lock()
        thread.join()
        assert first not in got
        assert got[0] == second
        assert len(got) == 2
        assert Turn.objects.get(round_item=first, reviewer=rita).state == TurnState.GRADED
