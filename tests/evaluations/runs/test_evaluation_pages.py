"""The list and the page of an evaluation, and its panel on the version's page."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from adapters.models import AdapterVersion
from evaluations.models import EvaluationItem, EvaluationRun, EvaluationState
from evaluations.runs.panels import evaluation_panel
from evaluations.runs.queries import known_answers, latest_ready
from evaluations.runs.services import start_evaluation
from jobs.models import Job
from tenants.models import Tenant, User
from tenants.scope import tenant_scope
from tests.evaluations.conftest import good_adapter, reference_of
from tests.evaluations.reviews.rounds import graded, start

MaxQueries = Callable[[int], Any]


def html(client: Client, name: str, *args: object, **query: str) -> str:
    response = client.get(reverse(f"evaluations:{name}", args=args), query)
    assert response.status_code == 200
    return response.content.decode()


def test_without_evaluations_the_list_says_what_to_do(as_alice: Client) -> None:
    assert f'href="{reverse("evaluations:new")}"' in html(as_alice, "list").split("<main")[1]


def test_the_list_shows_base_and_adapter(
    as_alice: Client,
    tenant: Tenant,
    make_evaluation: Callable[..., EvaluationRun],
    django_assert_max_num_queries: MaxQueries,
) -> None:
    for _ in range(8):
        make_evaluation(tenant)
    with django_assert_max_num_queries(10):
        page = html(as_alice, "list")
    assert page.count("boxes v") == 8
    assert "0.0%" in page
    assert "100.0%" in page


def test_the_page_tells_whether_the_difference_is_real(
    as_alice: Client,
    tenant: Tenant,
    make_evaluation: Callable[..., EvaluationRun],
    django_assert_max_num_queries: MaxQueries,
) -> None:
    run = make_evaluation(tenant, rows=60)
    with django_assert_max_num_queries(23):
        page = html(as_alice, "detail", run.id)
    assert "on 100.0% of 60 held-out rows, the base on 0.0%" in page
    assert "no LLM" in page
    assert "60 better" in page
    assert "1–25 of 60" in page
    with django_assert_max_num_queries(23):
        page = html(as_alice, "figures", run.id)
    assert "slice=unseen" in page
    assert 'id="chart-distribution-figure"' in page


def test_rows_can_be_filtered(as_alice: Client, tenant: Tenant, make_evaluation: Callable[..., EvaluationRun]) -> None:
    def respond(row: dict[str, Any], target: str) -> str:
        right = target != "base" and reference_of(row).endswith(("1", "3", "4"))
        return reference_of(row) if right else "same"

    run = make_evaluation(tenant, respond=respond)

    def shown(**query: str) -> list[int]:
        return [n for n in range(1, 7) if f"holds box {n}?" in html(as_alice, "detail", run.id, **query)]

    assert shown() == [1, 2, 3, 4, 5, 6]
    assert shown(show="differs") == [1, 3, 4]
    assert shown(wrong="v1") == [2, 5, 6]
    assert shown(wrong="v1", slice="unseen") == [6]
    assert shown(show="better") == [1, 3, 4]
    assert shown(show="worse") == []
    assert shown(show="nonsense", slice="nonsense") == [1, 2, 3, 4, 5, 6]


def test_a_model_cannot_write_html(
    as_alice: Client, alice: User, tenant: Tenant, make_evaluation: Callable[..., EvaluationRun]
) -> None:
    run = make_evaluation(tenant, respond=lambda row, target: "<script>alert(1)</script>")
    with tenant_scope(tenant.id):
        review_round = start(run, alice)
    for name, *args in (("detail", run.id), ("row", run.id, 1), ("review", review_round.id)):
        page = html(as_alice, name, *args)
        assert "<script>alert" not in page
        assert "&lt;script&gt;alert" in page


def test_a_running_one_is_live_until_it_ends(as_alice: Client, tenant: Tenant, version: AdapterVersion) -> None:
    with tenant_scope(tenant.id):
        run = start_evaluation(tenant=tenant, version=version)
    assert "data-live" in html(as_alice, "detail", run.id)
    live = as_alice.get(reverse("evaluations:live", args=[run.id]))
    assert "HX-Refresh" not in live.headers
    assert "<html" not in live.content.decode()
    with tenant_scope(tenant.id):
        EvaluationRun.objects.update(state=EvaluationState.FAILED)
        Job.objects.filter(id=run.job_id).update(error_text="The adapter does not fit this base.")
    assert as_alice.get(reverse("evaluations:live", args=[run.id])).headers["HX-Refresh"] == "true"
    page = html(as_alice, "detail", run.id)
    assert "The adapter does not fit this base." in page
    assert "Evaluate again" in page
    assert "data-live" not in page


def test_expert_grades_stand_beside_the_judge(
    as_alice: Client, tenant: Tenant, evaluation: EvaluationRun, alice: User, rita: User
) -> None:
    with tenant_scope(tenant.id):
        first, second = EvaluationItem.objects.filter(run=evaluation).select_related("run")[:2]
        graded(first, alice, 5)
        graded(first, rita, 2)
        graded(second, rita, 3)
    page = html(as_alice, "figures", evaluation.id)
    assert "2 of 6 answers." in page
    assert "3.33" in page
    assert 'data-testid="part-graded"' in page


@pytest.mark.parametrize("name", ["detail", "figures", "live", "export", "review"])
def test_charlie_sees_nothing(as_charlie: Client, evaluation: EvaluationRun, name: str) -> None:
    assert as_charlie.get(reverse(f"evaluations:{name}", args=[evaluation.id])).status_code == 404
    assert "boxes" not in html(as_charlie, "list")
    assert "Boxes" not in html(as_charlie, "reviews")


def test_the_versions_page_shows_the_latest_figures(in_tenant: Tenant, evaluation: EvaluationRun) -> None:
    context = evaluation_panel(evaluation.version).context
    assert context["evaluation"] == evaluation
    assert context["headline"].by_alias["exact_match"].own == "100.0%"
    assert context["running"] is None


def test_the_versions_page_hints_at_an_evaluation(as_alice: Client, tenant: Tenant, version: AdapterVersion) -> None:
    page = as_alice.get(reverse("adapters:version", args=[version.id])).content.decode()
    assert "must be evaluated before it can be promoted" in page


def test_known_answers_are_the_telling_ones_of_the_latest_evaluation(
    in_tenant: Tenant, version: AdapterVersion, make_evaluation: Callable[..., EvaluationRun]
) -> None:
    assert latest_ready(version) is None
    assert known_answers(version, 3) == []

    def respond(row: dict[str, Any], target: str) -> str:
        number = int(reference_of(row)[-1])
        return {1: "", 2: "same", 3: "same"}.get(number, good_adapter(row, target))

    make_evaluation(in_tenant, version=version)
    newest = make_evaluation(in_tenant, version=version, respond=respond)
    assert latest_ready(version) == newest
    answers = known_answers(version, 4)
    assert [answer for _, answer in answers] == ["SHELF 4 row 4", "SHELF 5 row 5", "SHELF 6 row 6", "same"]
    assert answers[0][0] == [{"role": "user", "content": "Which shelf holds box 4?"}]
