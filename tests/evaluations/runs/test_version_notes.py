"""Scores and what is live, in the list of adapters and on a version's page."""

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from adapters.models import AdapterVersion, BaseModel
from adapters.versions.notes import notes_of
from evaluations.models import EvaluationItem, EvaluationRun
from serving.endpoints.services import ensure_endpoint
from serving.models import Deployment, DeploymentState, Route
from tenants.models import Tenant, User
from tenants.scope import tenant_scope
from tests.evaluations.reviews.rounds import graded


@pytest.fixture
def make_live(base_model: BaseModel) -> Callable[[AdapterVersion], None]:
    def make(version: AdapterVersion) -> None:
        endpoint = ensure_endpoint(name="shared", backend="default", base_model=base_model)
        with tenant_scope(version.tenant_id):
            deployment = Deployment.objects.create(
                endpoint=endpoint, version=version, name="boxes-1", state=DeploymentState.IN_SERVICE
            )
            Route.objects.create(adapter=version.adapter, alias="boxes", active=deployment, switched_at=timezone.now())

    return make


def test_a_listed_version_has_its_scores_and_whether_it_is_live(
    as_alice: Client,
    as_charlie: Client,
    tenant: Tenant,
    rita: User,
    evaluation: EvaluationRun,
    make_live: Callable[[AdapterVersion], None],
) -> None:
    make_live(evaluation.version)
    with tenant_scope(tenant.id):
        item = EvaluationItem.objects.select_related("run").get(run=evaluation, position=1)
        graded(item, rita, 4)
        notes = notes_of([evaluation.version])[evaluation.version.id]
        assert [(note.title, note.text) for note in notes] == [
            ("Exact match", "100.0%"),
            ("Experts, 1 to 5", "4.0"),
            ("", "Live"),
        ]
    page = as_alice.get(reverse("adapters:list")).content.decode()
    assert f'<a href="{reverse("evaluations:detail", args=[evaluation.id])}">100.0%</a>' in page
    assert 'data-label="Experts, 1 to 5"' in page
    assert "Live" in page.split("<main")[1]
    assert "100.0%" not in as_charlie.get(reverse("adapters:list")).content.decode()
    panel = as_alice.get(reverse("adapters:version", args=[evaluation.version_id])).content.decode()
    assert "4.0" in panel.split('id="evaluation-panel-title"')[1].split("</section>")[0]


def test_another_live_version_is_named(
    in_tenant: Tenant, make_version: Callable[..., AdapterVersion], make_live: Callable[[AdapterVersion], None]
) -> None:
    first, second = make_version(), make_version()
    make_live(first)
    notes = notes_of([second])[second.id]
    assert [(note.text, note.state) for note in notes] == [("v1 is live", "")]


def test_the_newest_evaluation_counts(
    in_tenant: Tenant, version: AdapterVersion, make_evaluation: Callable[..., EvaluationRun]
) -> None:
    make_evaluation(in_tenant, version=version)
    make_evaluation(in_tenant, version=version, respond=lambda row, model: "No")
    assert [note.text for note in notes_of([version])[version.id]] == ["0.0%"]


def test_notes_of_many_versions_cost_as_many_queries_as_of_one(
    in_tenant: Tenant,
    make_evaluation: Callable[..., EvaluationRun],
    django_assert_max_num_queries: Callable[[int], object],
) -> None:
    versions = [make_evaluation(in_tenant, rows=2).version for _ in range(4)]
    with django_assert_max_num_queries(4):  # type: ignore[attr-defined]
        assert len(notes_of(versions)) == 4
    assert notes_of([]) == {}
