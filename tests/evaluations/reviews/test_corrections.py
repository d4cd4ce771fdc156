"""Corrected answers become an upload."""

import pytest
from django.test import Client
from django.urls import reverse

from corpora.models import Upload
from evaluations.models import EvaluationItem, EvaluationRun, Review, ReviewRound
from evaluations.reviews.rounds.corrections import corrections
from tenants.models import Tenant, User
from tenants.scope import tenant_scope
from tests.evaluations.reviews.rounds import graded, start


@pytest.mark.django_db(transaction=True)
def test_corrections_are_uploaded_to_the_dataset(
    as_alice: Client, as_rita: Client, tenant: Tenant, evaluation: EvaluationRun, rita: User
) -> None:
    with tenant_scope(tenant.id):
        found = start(evaluation, rita)
        item = EvaluationItem.objects.select_related("run").get(run=evaluation, position=1)
        review = graded(item, rita, 2)
    page, url = (
        reverse(f"evaluations:{name}", args=[found.id]) for name in ("review-round", "review-round-corrections")
    )
    assert as_alice.post(url).headers["Location"] == page
    with tenant_scope(tenant.id):
        Review.objects.filter(pk=review.pk).update(correction="Better so.")
        assert [one.pk for one in corrections(ReviewRound.objects.get(pk=found.pk))] == [review.pk]
    assert "Add 1 correction to a dataset" in as_alice.get(page).content.decode()
    assert as_rita.post(url).status_code == 403
    answer = as_alice.post(url)
    with tenant_scope(tenant.id):
        upload = Upload.objects.get()
        assert upload.dataset_id == evaluation.dataset_version.dataset_id
    assert answer.headers["Location"] == reverse("corpora:upload-format", args=[upload.id])
