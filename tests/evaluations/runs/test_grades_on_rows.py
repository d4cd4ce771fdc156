"""Experts' grades and comments on the rows of an evaluation: who reads them, and who stays blind."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from rest_framework.test import APIClient

from evaluations.models import Assignment, EvaluationItem, EvaluationRun, ReviewRound
from tenants.keys.services import create_api_key
from tenants.models import Tenant, User
from tenants.people.services import add_member
from tenants.permissions import Role
from tenants.scope import tenant_scope
from tests.evaluations.reviews.rounds import graded

COMMENT = "The shelf is right, <b>the row is not</b>."
SHOWN = "&lt;b&gt;the row is not"


@pytest.fixture
def item(tenant: Tenant, evaluation: EvaluationRun, rita: User) -> EvaluationItem:
    """The first row, graded by Rita with a comment."""
    with tenant_scope(tenant.id):
        item = EvaluationItem.objects.select_related("run").get(run=evaluation, position=1)
        graded(item, rita, 2, COMMENT)
    return item


def page_of(client: Client, run: EvaluationRun, **query: str) -> str:
    response = client.get(reverse("evaluations:detail", args=[run.id]), query)
    assert response.status_code == 200
    return response.content.decode().split('id="rows"')[1]


def rows_of(client: APIClient, run: EvaluationRun) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = client.get(f"/api/v1/evaluations/{run.id}/items/").json()["results"]
    return rows


@pytest.mark.parametrize("who", ["as_alice", "as_bob"])
def test_a_member_reads_who_gave_which_grade(
    who: str, evaluation: EvaluationRun, item: EvaluationItem, request: pytest.FixtureRequest
) -> None:
    rows = page_of(request.getfixturevalue(who), evaluation)
    assert "Expert 2/5" in rows
    assert "Rita" in rows
    assert SHOWN in rows


def test_a_reviewer_reads_no_evaluation(
    as_rita: Client, evaluation: EvaluationRun, item: EvaluationItem, tenant: Tenant, charlie: User
) -> None:
    assert as_rita.get(reverse("evaluations:detail", args=[evaluation.id])).status_code == 403
    assert as_rita.get(f"/api/v1/evaluations/{evaluation.id}/items/").status_code == 403
    with tenant_scope(tenant.id):
        add_member(tenant=tenant, user=charlie, role=Role.REVIEWER)
    other = Client()
    other.force_login(charlie, backend="django.contrib.auth.backends.ModelBackend")
    with tenant_scope(tenant.id):
        review_round = ReviewRound.objects.get(run=evaluation)
        Assignment.objects.create(round=review_round, reviewer=charlie)
    screen = other.get(reverse("evaluations:review", args=[review_round.id])).content.decode()
    assert "holds box" in screen
    assert "Rita" not in screen
    assert "the row is not" not in screen


def test_whoever_reviews_it_too_is_blind_until_they_have_graded_the_row(
    as_alice: Client, as_bob: Client, alice: User, tenant: Tenant, evaluation: EvaluationRun, item: EvaluationItem
) -> None:
    with tenant_scope(tenant.id):
        second = EvaluationItem.objects.select_related("run").get(run=evaluation, position=2)
        graded(second, alice, 5)
        _, token = create_api_key(tenant=tenant, name="hers", created_by=alice)
    hers = APIClient()
    hers.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")

    blind = page_of(as_alice, evaluation)
    assert "Expert 5/5" in blind
    assert "Rita" not in blind
    assert SHOWN not in blind
    assert "once you have graded this answer" in blind
    own = rows_of(hers, evaluation)[0]["answers"][1]
    assert (own["reviews"], own["hidden_reviews"]) == ([], 1)
    assert SHOWN in page_of(as_bob, evaluation)

    with tenant_scope(tenant.id):
        graded(item, alice, 4)
    seen = page_of(as_alice, evaluation)
    assert "Expert 4/5" in seen
    assert SHOWN in seen
    assert rows_of(hers, evaluation)[0]["answers"][1]["hidden_reviews"] == 0


def test_grades_over_rest(api: APIClient, evaluation: EvaluationRun, item: EvaluationItem) -> None:
    base, first = rows_of(api, evaluation)[0]["answers"]
    (review,) = first["reviews"]
    assert review.pop("updated_at")
    assert review == {
        "reviewer": "Rita",
        "grade": 2.0,
        "grades": {},
        "choice": "",
        "against": None,
        "comment": COMMENT,
        "marks": [],
        "correction": "",
        "is_adjudication": False,
    }
    assert (first["hidden_reviews"], base["reviews"]) == (0, [])


def test_rows_with_grades_or_comments_can_be_found(
    as_alice: Client, rita: User, tenant: Tenant, evaluation: EvaluationRun, item: EvaluationItem
) -> None:
    with tenant_scope(tenant.id):
        last = EvaluationItem.objects.select_related("run").get(run=evaluation, position=6)
        graded(last, rita, 5)

    def shown(**query: str) -> list[int]:
        rows = page_of(as_alice, evaluation, **query)
        return [n for n in range(1, 7) if f"holds box {n}?" in rows]

    assert shown(show="graded") == [1, 6]
    assert shown(show="commented") == [1]


def test_grades_cost_no_query_a_row(
    as_alice: Client,
    api: APIClient,
    rita: User,
    bob: User,
    tenant: Tenant,
    make_evaluation: Callable[..., EvaluationRun],
    django_assert_max_num_queries: Callable[[int], object],
) -> None:
    run = make_evaluation(tenant, rows=40)
    with tenant_scope(tenant.id):
        for item in EvaluationItem.objects.filter(run=run).select_related("run"):
            for reviewer in (rita, bob):
                graded(item, reviewer, 3, "Too short.")
    with django_assert_max_num_queries(23):  # type: ignore[attr-defined]
        page_of(as_alice, run)
    with django_assert_max_num_queries(12):  # type: ignore[attr-defined]
        assert len(rows_of(api, run)) == 40
