"""The page of agreement: experts among each other, and a judge against them."""

import datetime as dt
import random
from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries
from rest_framework.test import APIClient

from evaluations.agreement.experts import Rating, by_criterion, by_reviewer, by_week, overall
from evaluations.agreement.judge import Both, against_experts, anchoring
from evaluations.agreement.report import reports_of
from evaluations.models import EvaluationRun, Review
from tenants.models import Tenant, User
from tests.evaluations.licences.cases import ROWS, experts, graded, judged, scores

MONDAY = dt.datetime(2026, 11, 23, tzinfo=dt.UTC)


def rating(reviewer: str, grade: float, *, days: int = 0, **criteria: int) -> Rating:
    return Rating(reviewer, grade, criteria, MONDAY + dt.timedelta(days=days))


def test_experts_who_always_agree() -> None:
    line = overall([[rating(who, 1 + item % 5) for who in ("Ann", "Ben")] for item in range(20)])
    assert (line.ac.value, line.ac.raw, line.ac.items) == (1.0, 1.0, 20)
    assert (line.ac.name, line.ac.weights) == ("Gwet's AC2", "quadratic")
    same = overall([[rating(who, 5) for who in ("Ann", "Ben")] for _ in range(20)])
    assert (same.alpha.value, same.alpha.raw) == (None, 1.0)


def test_by_expert_criterion_and_week() -> None:
    generator = random.Random(1)
    items = [
        [
            rating(who, 3 if who != "Odd" else generator.choice((1, 5)), days=item // 3, Tone=item % 3)
            for who in ("Ann", "Ben", "Odd")
        ]
        for item in range(30)
    ]
    lines = {line.title: line.ac.raw for line in by_reviewer(items)}
    assert lines == {"Ann": 0.5, "Ben": 0.5, "Odd": 0.0}
    (tone,) = by_criterion(items, {"Tone": [0, 1, 2], "Absent": [1, 2]})
    assert (tone.title, tone.ac.value) == ("Tone", 1.0)
    assert [line.title for line in by_week(items)] == ["23 Nov 2026", "30 Nov 2026"]


def test_a_judge_against_experts_and_anchoring() -> None:
    assert against_experts([]) is None
    found = against_experts(
        [Both(row=row, model="v1", cluster=str(row), grade=2.0, score=5.0 if row == 7 else 3.0) for row in range(1, 21)]
    )
    assert found is not None
    assert found.bias is not None
    assert found.bias.mean == pytest.approx(1.1)
    assert [one.row for one in found.farthest][:2] == [7, 1]
    assert found.confusion.counts[1] == (0, 0, 19, 0, 1)
    measured = anchoring([0.1, 0.2, 0.0], [0.9, 1.1])
    assert measured.seen is not None
    assert measured.blind is not None
    assert measured.seen.mean < measured.blind.mean


@pytest.fixture
def run(in_tenant: Tenant, make_evaluation: Callable[..., EvaluationRun]) -> EvaluationRun:
    return make_evaluation(in_tenant, rows=ROWS)


@pytest.mark.django_db
@pytest.mark.slow
def test_the_page_with_and_without_a_round(run: EvaluationRun, as_alice: Client, rita: User, alice: User) -> None:
    address = reverse("evaluations:agreement", args=[run.id])
    assert "No round yet" in as_alice.get(address).content.decode()
    judged(run, scores())
    graded(run, experts(scores())[:40], reviewers=[rita, alice])
    page = as_alice.get(address).content.decode()
    assert "agreement among experts" in page
    assert "Gwet&#x27;s AC2, quadratic weights" in page
    assert "Strict against the experts of round 1" in page
    Review.objects.filter(reviewer=alice).update(grade=1)
    assert reports_of(run)[0].reviews == 80


@pytest.mark.django_db
@pytest.mark.slow
def test_more_rows_take_no_more_queries(
    run: EvaluationRun, rita: User, alice: User, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    judged(run, scores())
    graded(run, experts(scores()), reviewers=[rita, alice])
    with django_assert_max_num_queries(23):
        (report,) = reports_of(run)
    assert report.judges[0].found is not None
    with django_assert_max_num_queries(6):
        assert reports_of(run) == [report]


@pytest.mark.django_db
@pytest.mark.slow
def test_agreement_over_rest(run: EvaluationRun, rita: User, alice: User, api: APIClient) -> None:
    judged(run, scores())
    graded(run, experts(scores())[:40], reviewers=[rita, alice])
    (found,) = api.get(f"/api/v1/agreement/{run.id}/").json()
    assert (found["reviews"], found["overall"]["ac"]["weights"]) == (80, "quadratic")
    assert found["judges"][0]["found"]["count"] == 40
