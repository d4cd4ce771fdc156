"""What a judge's page, an evaluation and REST say of a licence."""

import pytest
from django.test import Client
from django.urls import reverse
from rest_framework.test import APIClient

from evaluations.judges.services import create_judge
from evaluations.licences.corrected import standing_of
from evaluations.licences.services import assess_judging, assess_licences
from evaluations.models import Judging, LicenceState
from tenants.models import Tenant, User
from tests.evaluations.licences.cases import ROWS, experts, graded, scores

pytestmark = [pytest.mark.django_db, pytest.mark.slow]


def test_a_judge_without_a_licence_says_what_it_takes(in_tenant: Tenant, as_alice: Client) -> None:
    own = create_judge(tenant=in_tenant, name="Own", kind="gateway", model="clauses")
    page = as_alice.get(reverse("evaluations:judge", args=[own.id])).content.decode()
    assert "No licence yet." in page


def test_the_page_of_a_shared_judge_has_its_licence_with_reason_and_intervals(
    judging: Judging, expert: User, as_alice: Client
) -> None:
    graded(judging.run, experts(scores())[:70], reviewers=[expert])
    assess_judging(judging=judging)
    page = as_alice.get(reverse("evaluations:shared-judge", args=["default"])).content.decode()
    assert "Its grades agree with experts’ on 70 random answers" in page
    assert "Gwet&#x27;s AC2, quadratic weights" in page
    assert "Grades more (+) or less (−) than experts" in page
    assert "How licences changed" in page


def test_a_suspended_licence_is_begun_anew_from_the_page(judging: Judging, expert: User, as_alice: Client) -> None:
    graded(judging.run, experts(scores())[:70], reviewers=[expert])
    assess_judging(judging=judging)
    graded(judging.run, experts(scores(), off=1.0)[70:], reviewers=[expert], start=70)
    found = assess_judging(judging=judging)
    assert found is not None
    page = as_alice.get(reverse("evaluations:shared-judge", args=["default"])).content.decode()
    address = reverse("evaluations:licence-anew", args=[found.id])
    assert address in page
    assert as_alice.post(address).url == reverse("evaluations:shared-judge", args=["default"])  # type: ignore[attr-defined]
    found.refresh_from_db()
    assert found.state == LicenceState.PROVISIONAL
    assert found.changes.filter(by__email__startswith="alice").count() == 1


def test_means_are_corrected_by_experts_with_what_the_judge_saved(judging: Judging, expert: User) -> None:
    before = standing_of(judging)
    assert before.sentence == "Not licensed. It has not been compared with experts yet."
    assert before.means == []
    graded(judging.run, experts(scores(), off=0.4)[:70], reviewers=[expert])
    assess_judging(judging=judging)
    (mean,) = standing_of(judging).means
    assert mean.labels == 70
    assert mean.powered is not None
    assert mean.judged == pytest.approx(sum(scores()) / ROWS)
    assert mean.powered.interval.low < mean.judged + 0.4 < mean.powered.interval.high
    assert mean.powered.mean > mean.judged + 0.2
    assert mean.saved > 0
    assert standing_of(judging).sentence == "Licensed judge, corrected by 70 experts’ grades."


def test_heads_say_what_experts_would_have_given(judging: Judging, expert: User, as_alice: Client) -> None:
    run = judging.run
    judging.summary = {"all": {"figures": {f"v{run.version.number}": 3.0}, "differences": []}}
    judging.save()
    pages = [
        reverse("evaluations:detail", args=[run.id]),
        reverse("adapters:version", args=[run.version_id]),
    ]
    assert "by experts</a>" not in as_alice.get(pages[1]).content.decode()
    graded(run, experts(scores(), off=0.4)[:70], reviewers=[expert])
    assess_licences(tenant_id=run.tenant_id)
    (mean,) = standing_of(judging).means
    assert mean.powered is not None
    for page in pages:
        assert f"about {mean.powered.mean:.1f}" in as_alice.get(page).content.decode()


def test_licences_over_rest(judging: Judging, expert: User, api: APIClient) -> None:
    found = assess_judging(judging=judging)
    assert found is not None
    (row,) = api.get("/api/v1/licences/").json()["results"]
    assert (row["id"], row["state"], row["rubric"]) == (str(found.id), "provisional", None)
    assert row["changes"][0]["reason"] == found.reason
    assert api.get(f"/api/v1/licences/{found.id}/").json()["labels"] == 0
