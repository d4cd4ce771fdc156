"""Grading: one answer after the other by plain forms, each expert for themselves."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from evaluations.models import EvaluationItem, EvaluationRun, EvaluationState, Review
from evaluations.reviews.queries import Queue
from evaluations.reviews.services import record_review
from rest.errors import Conflict, PortalError
from tenants.models import Tenant, User
from tenants.scope import tenant_scope
from tests.evaluations.conftest import reference_of

Answers = Callable[..., EvaluationRun]


def half_right(row: dict[str, Any], target: str) -> str:
    """Rows 1 to 3 as expected, 4 a word short, 5 and 6 wrong."""
    number = int(reference_of(row)[-1])
    if target == "base" or number > 4:
        return "nothing of the kind"
    return reference_of(row) if number < 4 else "SHELF 4 row"


def address(run: EvaluationRun) -> str:
    return reverse("evaluations:review", args=[run.id])


def form_of(page: str) -> str:
    found = re.search(r'<form id="grade-form" method="post" action="([^"]+)"', page)
    assert found
    return found[1]


def test_doubtful_answers_come_first_and_in_a_fixed_order(
    in_tenant: Tenant, make_evaluation: Answers, rita: User
) -> None:
    run = make_evaluation(in_tenant, respond=half_right)
    queue = Queue(run, rita)
    order = []
    item_id = queue.next_open()
    while item_id:
        order.append(EvaluationItem.objects.get(id=item_id).position)
        item_id = queue.place(item_id).next
    assert order == [5, 6, 4, 1, 2, 3]


def test_a_reviewer_grades_everything_without_script(
    as_rita: Client, tenant: Tenant, rita: User, evaluation: EvaluationRun
) -> None:
    page = as_rita.get(address(evaluation))
    for grade in (5, 4, 3, 2, 1, 5):
        assert page.status_code == 200
        page = as_rita.post(form_of(page.content.decode()), {"grade": grade, "comment": f"g{grade}"}, follow=True)
    assert "All graded" in page.content.decode()
    with tenant_scope(tenant.id):
        given = Review.objects.filter(reviewer=rita, item__run=evaluation).order_by("item__position")
        assert [(r.grade, r.comment) for r in given][1] == (4, "g4")
        assert given.count() == 6


def test_a_grade_over_htmx_brings_the_next_answer(as_rita: Client, evaluation: EvaluationRun) -> None:
    page = as_rita.get(address(evaluation)).content.decode()
    answer = as_rita.post(form_of(page), {"grade": "4"}, headers={"HX-Request": "true"})
    assert answer.status_code == 200
    text = answer.content.decode()
    assert text.lstrip().startswith('<div id="review"')
    assert "Answer 2 of 6 · 1 graded" in text
    shown = as_rita.get(answer.headers["HX-Push-Url"]).content.decode()
    assert form_of(shown) == form_of(text)
    assert form_of(text) != form_of(page)


@pytest.mark.parametrize("grade", ["0", "6", "-1", "", "4.5", "excellent", "9" * 40])
def test_a_wrong_grade_is_told_and_nothing_is_saved(
    as_rita: Client, tenant: Tenant, evaluation: EvaluationRun, grade: str
) -> None:
    url = form_of(as_rita.get(address(evaluation)).content.decode())
    answer = as_rita.post(url, {"grade": grade, "comment": "keep my words"})
    assert answer.status_code == 400
    text = answer.content.decode()
    assert "invalid-feedback" in text
    assert "keep my words" in text
    with tenant_scope(tenant.id):
        assert not Review.objects.exists()


def test_a_comment_has_a_limit(as_rita: Client, evaluation: EvaluationRun) -> None:
    page = as_rita.get(address(evaluation)).content.decode()
    assert 'maxlength="2000"' in page
    url = form_of(page)
    answer = as_rita.post(url, {"grade": "3", "comment": "x" * 2001}, headers={"HX-Request": "true"})
    assert answer.status_code == 200
    assert "up to 2000 characters. Yours has 2001." in answer.content.decode()


def test_grading_again_replaces_the_own_grade_only(
    in_tenant: Tenant, evaluation: EvaluationRun, alice: User, rita: User
) -> None:
    item = EvaluationItem.objects.select_related("run").filter(run=evaluation)[0]
    record_review(tenant=in_tenant, item=item, reviewer=rita, grade=2, comment="no")
    record_review(tenant=in_tenant, item=item, reviewer=alice, grade=5)
    record_review(tenant=in_tenant, item=item, reviewer=rita, grade=3, comment=" better ")
    assert sorted(Review.objects.values_list("grade", "comment")) == [(3, "better"), (5, "")]


def test_only_a_ready_evaluation_is_reviewed(
    as_rita: Client, tenant: Tenant, evaluation: EvaluationRun, rita: User
) -> None:
    with tenant_scope(tenant.id):
        EvaluationRun.objects.update(state=EvaluationState.RUNNING)
        item = EvaluationItem.objects.select_related("run").first()
        assert item is not None
        with pytest.raises(Conflict, match="not ready"):
            record_review(tenant=tenant, item=item, reviewer=rita, grade=3)
        with pytest.raises(PortalError) as refusal:
            record_review(tenant=tenant, item=item, reviewer=rita, grade=7)
    assert refusal.value.field == "grade"
    assert as_rita.get(address(evaluation)).status_code == 404
    assert "Nothing to review" in as_rita.get(reverse("evaluations:reviews")).content.decode()


def test_the_screen_names_neither_model_nor_metric(as_rita: Client, tenant: Tenant, make_evaluation: Answers) -> None:
    run = make_evaluation(tenant, respond=half_right)
    page = as_rita.get(address(run)).content.decode().lower()
    main = page[page.index("<main") : page.index("</main>")]
    for word in (
        "adapter",
        "base",
        "rouge",
        "meteor",
        "judge",
        "model",
        "exact",
        "slice",
        "boxes v",
    ):
        assert word not in main
    assert "nothing of the kind" in main


def test_reviewers_are_hidden_from_each_other(
    as_rita: Client, tenant: Tenant, evaluation: EvaluationRun, alice: User
) -> None:
    with tenant_scope(tenant.id):
        for item in EvaluationItem.objects.select_related("run"):
            record_review(tenant=tenant, item=item, reviewer=alice, grade=1, comment="alice was here")
    assert "0 of 6 graded" in as_rita.get(reverse("evaluations:reviews")).content.decode()
    page = as_rita.get(address(evaluation)).content.decode()
    assert "alice was here" not in page
    assert "You gave it" not in page
    assert "Answer 1 of 6 · 0 graded" in page


def test_an_own_grade_is_shown_when_one_comes_back(
    as_rita: Client, tenant: Tenant, evaluation: EvaluationRun, rita: User
) -> None:
    with tenant_scope(tenant.id):
        item = EvaluationItem.objects.select_related("run").order_by("position")[0]
        record_review(tenant=tenant, item=item, reviewer=rita, grade=4, comment="as I said")
    page = as_rita.get(address(evaluation), {"item": str(item.id)}).content.decode()
    assert "Your grade: 4." in page
    assert "as I said" in page


def test_skipping_goes_round_to_what_is_left(in_tenant: Tenant, evaluation: EvaluationRun, rita: User) -> None:
    items = list(EvaluationItem.objects.select_related("run").order_by("-uncertainty", "position"))
    for item in items[2:]:
        record_review(tenant=in_tenant, item=item, reviewer=rita, grade=5)
    queue = Queue(evaluation, rita)
    assert queue.place(items[1].id).next_open == items[0].id
    assert queue.place(items[5].id).next_open == items[0].id
    assert queue.place(items[0].id).previous is None
    assert queue.place(items[5].id).next is None
    record_review(tenant=in_tenant, item=items[1], reviewer=rita, grade=5)
    assert Queue(evaluation, rita).place(items[0].id).next_open is None


@pytest.mark.parametrize("item", ["nonsense", "00000000-0000-0000-0000-000000000000"])
def test_an_item_that_is_not_there(as_rita: Client, evaluation: EvaluationRun, item: str) -> None:
    answer = as_rita.get(address(evaluation), {"item": item})
    assert answer.status_code == (302 if item == "nonsense" else 404)


def test_a_reviewer_sees_reviews_and_nothing_else(as_rita: Client, evaluation: EvaluationRun) -> None:
    assert as_rita.get(reverse("evaluations:reviews")).status_code == 200
    assert as_rita.get(reverse("evaluations:list")).status_code == 403
    assert as_rita.get(reverse("evaluations:detail", args=[evaluation.id])).status_code == 403
    assert as_rita.get(reverse("evaluations:live", args=[evaluation.id])).status_code == 403


def test_charlie_cannot_grade(as_charlie: Client, tenant: Tenant, evaluation: EvaluationRun) -> None:
    with tenant_scope(tenant.id):
        item = EvaluationItem.objects.all()[0]
    url = reverse("evaluations:grade", args=[item.id])
    assert as_charlie.post(url, {"grade": "5"}).status_code == 404
    assert as_charlie.get(url).status_code == 405
    with tenant_scope(tenant.id):
        assert not Review.objects.exists()


def test_the_screens_have_a_query_budget(
    as_rita: Client, tenant: Tenant, make_evaluation: Answers, django_assert_max_num_queries: Callable[[int], Any]
) -> None:
    runs = [make_evaluation(tenant, rows=40) for _ in range(3)]
    with django_assert_max_num_queries(11):
        as_rita.get(reverse("evaluations:reviews"))
    with django_assert_max_num_queries(11):
        as_rita.get(address(runs[0]))
