"""What is to be reviewed is counted apart from the evaluations, which costs little however many answers there are."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from evaluations.models import EvaluationItem, EvaluationRun, EvaluationState
from evaluations.reviews.queries import open_reviews, queues
from evaluations.reviews.services import record_review
from portal.overview import read_overview
from tenants.models import Tenant, User

Graded = tuple[EvaluationRun, EvaluationRun]


@pytest.fixture
def graded(in_tenant: Tenant, make_evaluation: Callable[..., EvaluationRun], rita: User, alice: User) -> Graded:
    """Two evaluations of six answers. Of the first Rita graded two, Alice one of those and another; one failed."""
    first, second, failed = (make_evaluation(in_tenant) for _ in range(3))
    failed.state = EvaluationState.FAILED
    failed.save()
    items = EvaluationItem.objects.filter(run=first).order_by("position")
    for reviewer, item in ((rita, items[0]), (rita, items[1]), (alice, items[1]), (alice, items[2])):
        record_review(tenant=in_tenant, item=item, reviewer=reviewer, grade=4, comment="")
    return first, second


def test_an_answer_is_open_until_anybody_graded_it(graded: Graded) -> None:
    with CaptureQueriesContext(connection) as queries:
        assert read_overview().open_reviews == open_reviews() == 9
    # For each answer without a review, PostgreSQL read the evaluations once more.
    assert not _that_say(queries, 'LEFT OUTER JOIN "evaluations_review"')
    # The answers are many and large, and their evaluations know how many they are.
    assert not _that_say(queries, '"evaluations_evaluationitem"')


def test_progress_is_ones_own_and_of_the_evaluations_shown(graded: Graded, rita: User) -> None:
    with CaptureQueriesContext(connection) as queries:
        shown = queues(rita)
    assert [(queued.run, queued.progress.done, queued.progress.total) for queued in shown] == [
        (graded[1], 0, 6),
        (graded[0], 2, 6),
    ]
    # Grouping by all that a list shows of an evaluation sorted 255 MB for 50 rows.
    assert not _that_say(queries, "GROUP BY", '"summary"')
    # What no list shows is not read.
    for large in ('"manifest"', '"profile"', '"problems"', '"spec"'):
        assert not _that_say(queries, large)


def _that_say(queries: CaptureQueriesContext, *parts: str) -> list[Any]:
    return [query["sql"] for query in queries.captured_queries if all(part in query["sql"] for part in parts)]
