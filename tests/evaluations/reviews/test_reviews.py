"""The screens of experts: their rounds, and one answer after the other by plain forms."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from evaluations.models import EvaluationItem, EvaluationRun, Review, ReviewRound, RoundItem
from tenants.models import Tenant, User
from tenants.scope import tenant_scope
from tests.evaluations.conftest import reference_of
from tests.evaluations.reviews.rounds import graded, start

Answers = Callable[..., EvaluationRun]


@pytest.fixture
def review_round(tenant: Tenant, evaluation: EvaluationRun, rita: User) -> ReviewRound:
    with tenant_scope(tenant.id):
        return start(evaluation, rita)


def half_right(row: dict[str, Any], target: str) -> str:
    """Rows 1 to 3 as expected, 4 a word short, 5 and 6 wrong."""
    number = int(reference_of(row)[-1])
    if target == "base" or number > 4:
        return "nothing of the kind"
    return reference_of(row) if number < 4 else "SHELF 4 row"


def address(review_round: ReviewRound) -> str:
    return reverse("evaluations:review", args=[review_round.id])


def test_the_screen_names_neither_model_nor_metric(
    as_rita: Client, tenant: Tenant, make_evaluation: Answers, rita: User
) -> None:
    with tenant_scope(tenant.id):
        review_round = start(make_evaluation(tenant, respond=half_right), rita)
    page = as_rita.get(address(review_round)).content.decode().lower()
    main = page[page.index("<main") : page.index("</main>")]
    for word in ("adapter", "base", "rouge", "meteor", "judge", "model", "exact", "slice", "boxes v"):
        assert word not in main


def test_reviewers_are_hidden_from_each_other(
    as_rita: Client, tenant: Tenant, evaluation: EvaluationRun, alice: User, rita: User
) -> None:
    with tenant_scope(tenant.id):
        review_round = start(evaluation, alice, rita, reviewers_per_item=2)
        for item in EvaluationItem.objects.filter(run=evaluation).select_related("run"):
            graded(item, alice, 1, "alice was here")
    assert "0 of 6 graded" in as_rita.get(reverse("evaluations:reviews")).content.decode()
    assert "alice was here" not in as_rita.get(address(review_round)).content.decode()


def test_a_reviewer_sees_reviews_and_nothing_else(
    as_rita: Client, evaluation: EvaluationRun, review_round: ReviewRound
) -> None:
    assert as_rita.get(reverse("evaluations:reviews")).status_code == 200
    assert as_rita.get(reverse("evaluations:list")).status_code == 403
    assert as_rita.get(reverse("evaluations:detail", args=[evaluation.id])).status_code == 403
    assert as_rita.get(reverse("evaluations:live", args=[evaluation.id])).status_code == 403
    assert re.findall(r'href="/(?!static)([a-z-]*/[a-z-]*)', as_rita.get(address(review_round)).content.decode())


def test_charlie_cannot_grade(as_charlie: Client, tenant: Tenant, review_round: ReviewRound) -> None:
    with tenant_scope(tenant.id):
        item = RoundItem.objects.filter(round=review_round)[0]
    url = reverse("evaluations:grade", args=[item.id])
    assert as_charlie.post(url, {"grade": "5"}).status_code == 404
    assert as_charlie.get(url).status_code == 405
    assert as_charlie.get(address(review_round)).status_code == 404
    with tenant_scope(tenant.id):
        assert not Review.objects.exists()


def test_a_round_of_others_is_not_found(as_rita: Client, tenant: Tenant, evaluation: EvaluationRun, bob: User) -> None:
    with tenant_scope(tenant.id):
        of_bob = start(evaluation, bob)
    assert as_rita.get(address(of_bob)).status_code == 404
    assert "Nothing to review" in as_rita.get(reverse("evaluations:reviews")).content.decode()


def test_the_screens_have_a_query_budget(
    as_rita: Client,
    tenant: Tenant,
    rita: User,
    make_evaluation: Answers,
    django_assert_max_num_queries: Callable[[int], Any],
) -> None:
    with tenant_scope(tenant.id):
        rounds = [start(make_evaluation(tenant, rows=40), rita) for _ in range(3)]
    with django_assert_max_num_queries(18):
        as_rita.get(reverse("evaluations:reviews"))
    with django_assert_max_num_queries(19):
        as_rita.get(address(rounds[0]))
