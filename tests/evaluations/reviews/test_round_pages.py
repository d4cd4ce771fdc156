"""Pages for those who manage reviews."""

from typing import Any

from django.test import Client
from django.urls import reverse

from evaluations.models import EvaluationItem, EvaluationRun, ReviewRound
from tenants.models import Tenant, User
from tenants.scope import tenant_scope
from tests.evaluations.reviews.rounds import graded, start


def test_one_click_starts_a_round_for_all_reviewers(
    as_alice: Client, as_rita: Client, tenant: Tenant, evaluation: EvaluationRun
) -> None:
    url = reverse("evaluations:start-review-round", args=[evaluation.id])
    assert as_rita.get(url).status_code == 403
    page = as_alice.get(url)
    form = page.context["form"]
    names = ("answers", "candidate", "reviewers_per_answer", "reviewers", "shape")
    usual = {name: form.fields[name].initial for name in names}
    answer = as_alice.post(url, usual)
    with tenant_scope(tenant.id):
        found = ReviewRound.objects.get()
        assert [one.reviewer.email for one in found.assignments.select_related("reviewer")] == ["rita@example.com"]
    assert answer.headers["Location"] == reverse("evaluations:review-round", args=[found.id])
    assert "Rita" in as_alice.get(answer.headers["Location"]).content.decode()
    assert as_rita.get(answer.headers["Location"]).status_code == 403
    assert as_alice.post(url, usual | {"reviewers_per_answer": 5}).status_code == 200


def test_the_form_says_what_a_round_takes_as_it_is_filled_in(as_alice: Client, evaluation: EvaluationRun) -> None:
    url = reverse("evaluations:start-review-round", args=[evaluation.id])
    assert "60 grades take about" in as_alice.get(url).content.decode()
    form = {"answers": 30, "candidate": evaluation.own_key, "reviewers_per_answer": 3, "shape": "single"}
    asked: dict[str, Any] = {**form, "against": "base"}
    page = as_alice.get(url, asked).content.decode()
    assert "180 grades take about" in page
    assert "120 minutes" in page
    assert "Choose how many answers" in as_alice.get(url, {**asked, "answers": "many"}).content.decode()


def test_experts_may_grade_another_model_of_the_evaluation(
    as_alice: Client, tenant: Tenant, evaluation: EvaluationRun, rita: User
) -> None:
    url = reverse("evaluations:start-review-round", args=[evaluation.id])
    own = evaluation.own_key
    wanted = {"answers": 3, "candidate": "base", "reviewers_per_answer": 1, "reviewers": [str(rita.pk)]}
    refused = as_alice.post(url, {**wanted, "shape": "single", "against": "base"})
    assert "Choose another model of this evaluation." in refused.content.decode()
    assert "is not one of the available choices" in (
        as_alice.post(url, {**wanted, "shape": "single", "candidate": "nobody"}).content.decode()
    )
    as_alice.post(url, {**wanted, "shape": "pair", "against": own})
    with tenant_scope(tenant.id):
        found = ReviewRound.objects.select_related("candidate", "against").get()
        assert found.against is not None
        assert (found.candidate.key, found.against.key) == ("base", own)


def test_disagreement_shows_and_a_round_is_closed(
    as_alice: Client, tenant: Tenant, evaluation: EvaluationRun, rita: User, alice: User
) -> None:
    with tenant_scope(tenant.id):
        found = start(evaluation, rita, alice, reviewers_per_item=2)
        item = EvaluationItem.objects.select_related("run").get(run=evaluation, position=1)
        graded(item, rita, 5), graded(item, alice, 2)
    url = reverse("evaluations:review-round", args=[found.id])
    assert "Experts disagree" in as_alice.get(url).content.decode()
    as_alice.post(reverse("evaluations:review-round-close", args=[found.id]))
    assert "Close round" not in as_alice.get(url).content.decode()
