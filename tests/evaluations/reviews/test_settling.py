"""Settle disagreements, and change a round, on pages."""

from django.test import Client
from django.urls import reverse

from evaluations.models import EvaluationItem, EvaluationRun, Review, RoundItem
from tenants.models import Tenant, User
from tenants.scope import tenant_scope
from tests.evaluations.reviews.rounds import graded, start


def test_disagreements_are_settled_one_after_the_other(
    as_alice: Client, as_rita: Client, tenant: Tenant, evaluation: EvaluationRun, rita: User, alice: User
) -> None:
    with tenant_scope(tenant.id):
        found = start(evaluation, rita, alice, reviewers_per_item=2)
        for position in (1, 2):
            item = EvaluationItem.objects.select_related("run").get(run=evaluation, position=position)
            graded(item, rita, 5, "Well said."), graded(item, alice, 2)
        items = list(RoundItem.objects.filter(round=found, item__position__in=(1, 2)).order_by("position"))
    first, second = (reverse("evaluations:settle", args=[item.id]) for item in items)
    round_url = reverse("evaluations:review-round", args=[found.id])
    assert first in as_alice.get(round_url).content.decode()
    assert as_rita.get(first).status_code == 403
    assert "Well said." in as_alice.get(first).content.decode()
    refused = as_alice.post(first, {"comment": "Hm.", "correction": "Better so."})
    assert refused.status_code == 400
    assert "Better so." in refused.content.decode()
    long = {"grade": 2, "comment": "Too long. " * 300}
    assert 'value="2" checked' in as_alice.post(first, long).content.decode()
    assert as_alice.post(first, {"grade": 4}).headers["Location"] == second
    assert as_alice.post(second, {"grade": 3}).headers["Location"] == round_url
    with tenant_scope(tenant.id):
        settled = Review.objects.filter(is_adjudication=True).order_by("round_item__position")
        assert [review.grade for review in settled] == [4, 3]
    assert "(final)" in as_alice.get(first).content.decode()


def test_reviewers_and_due_date_of_a_round_change(
    as_alice: Client, as_rita: Client, tenant: Tenant, evaluation: EvaluationRun, rita: User, alice: User
) -> None:
    with tenant_scope(tenant.id):
        found = start(evaluation, rita)
    url = reverse("evaluations:review-round-change", args=[found.id])
    assert as_rita.post(url).status_code == 403
    assert as_alice.post(url, {"reviewers": []}).status_code == 200
    assert as_alice.post(url, {"reviewers": [str(alice.pk)], "due_on": "2031-05-04"}).status_code == 302
    with tenant_scope(tenant.id):
        (one,) = found.assignments.all()
        assert (one.reviewer_id, str(one.due_on)) == (alice.pk, "2031-05-04")
