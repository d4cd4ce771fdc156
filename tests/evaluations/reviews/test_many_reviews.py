"""What waits for experts is counted apart from the evaluations, which costs little however many answers there are."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from evaluations.models import EvaluationItem, EvaluationRun, ReviewRound
from evaluations.reviews.queries import listed, open_reviews, rounds_for
from evaluations.reviews.rounds.services import close_round
from portal.overview import read_overview
from tenants.models import Tenant, User
from tests.evaluations.reviews.rounds import graded as grade
from tests.evaluations.reviews.rounds import start

Rounds = tuple[ReviewRound, ReviewRound]


@pytest.fixture
def rounds(in_tenant: Tenant, make_evaluation: Callable[..., EvaluationRun], rita: User, alice: User) -> Rounds:
    """Two rounds of six answers, by two experts each and by one. In the first, one answer has both; one is closed."""
    first, second, closed = (make_evaluation(in_tenant) for _ in range(3))
    by_two, by_one = start(first, rita, alice, reviewers_per_item=2), start(second, rita)
    close_round(review_round=start(closed, rita))
    items = EvaluationItem.objects.filter(run=first).order_by("position")
    for reviewer, item in ((rita, items[0]), (rita, items[1]), (alice, items[1])):
        grade(item, reviewer, 4)
    return by_two, by_one


def test_an_answer_is_open_until_enough_experts_graded_it(rounds: Rounds) -> None:
    with CaptureQueriesContext(connection) as queries:
        assert read_overview().open_reviews == open_reviews() == 11
    # The answers are many and large.
    assert not _that_say(queries, '"evaluations_evaluationitem"')


def test_progress_is_ones_own(rounds: Rounds, rita: User, alice: User) -> None:
    with CaptureQueriesContext(connection) as queries:
        shown = listed(list(rounds_for(rita, manages=False)), rita)
    assert [(one.round, one.progress.done, one.progress.left) for one in shown[1:]] == [
        (rounds[1], 0, 6),
        (rounds[0], 2, 4),
    ]
    assert shown[0].progress.left == 0
    assert [one.round for one in listed(list(rounds_for(alice, manages=False)), alice)] == [rounds[0]]
    # What no list shows is not read.
    for large in ('"manifest"', '"profile"', '"problems"', '"spec"'):
        assert not _that_say(queries, large)


def _that_say(queries: CaptureQueriesContext, *parts: str) -> list[Any]:
    return [query["sql"] for query in queries.captured_queries if all(part in query["sql"] for part in parts)]
