"""Leaks of the evaluated data stand beside its scores, on every page and over REST."""

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse
from rest_framework.test import APIClient

from evaluations.models import EvaluationRun
from tenants.models import Tenant
from tenants.scope import tenant_scope
from tests.corpora.warned import EMAIL, LEAK, NEAR_LEAK, warned

URL = "/api/v1/evaluations/"


@pytest.fixture
def leaked(evaluation: EvaluationRun) -> EvaluationRun:
    data = evaluation.dataset_version
    data.profile, data.test_count = warned(), 18
    with tenant_scope(evaluation.tenant_id):
        data.save()
    return evaluation


def test_the_page_names_them_under_the_verdict(as_alice: Client, leaked: EvaluationRun) -> None:
    page = as_alice.get(reverse("evaluations:detail", args=[leaked.id])).content.decode()
    _, verdict, after = page.split('class="verdict"')[1].split("</p>", 2)
    assert "held-out rows" in verdict
    beside = after.split("</ul>")[0]
    assert LEAK in beside
    assert NEAR_LEAK in beside
    assert f'href="{reverse("corpora:version", args=[leaked.dataset_version_id])}?tab=quality"' in beside
    assert EMAIL not in page


def test_the_versions_page_and_the_promotion_dialog_name_them(as_alice: Client, leaked: EvaluationRun) -> None:
    page = as_alice.get(reverse("adapters:version", args=[leaked.version_id])).content.decode()
    panel = page.split('id="evaluation-panel-title"')[1].split("</section>")[0]
    dialog = page.split('id="promote-version"')[1].split("</form>")[0]
    for part in (panel, dialog):
        assert LEAK in part
        assert NEAR_LEAK in part
        assert EMAIL not in part


def test_rest_tells_them_in_the_document_and_in_the_list(
    api: APIClient, tenant: Tenant, leaked: EvaluationRun, make_evaluation: Callable[..., EvaluationRun]
) -> None:
    clean = make_evaluation(tenant)
    wanted = [
        {"code": "dataset:leak", "count": 2, "text": LEAK, "severity": "warning"},
        {"code": "dataset:near_leak", "count": 16, "text": NEAR_LEAK, "severity": "warning"},
    ]
    assert api.get(f"{URL}{leaked.id}/").json()["data_findings"] == wanted
    listed = {found["id"]: found["data_findings"] for found in api.get(URL).json()["results"]}
    assert listed == {str(leaked.id): wanted, str(clean.id): []}


def test_clean_data_adds_nothing(as_alice: Client, evaluation: EvaluationRun) -> None:
    for name, pk in (("evaluations:detail", evaluation.id), ("adapters:version", evaluation.version_id)):
        assert "Data findings" not in as_alice.get(reverse(name, args=[pk])).content.decode()
