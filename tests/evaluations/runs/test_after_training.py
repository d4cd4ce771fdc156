"""A version is evaluated as soon as it is trained, where its training asks for that."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from rest_framework.test import APIClient

from adapters.models import AdapterVersion, TrainingRun
from adapters.training.arrivals import tell
from evaluations.models import EvaluationRun
from evaluations.runs.services import start_evaluation
from tenants.models import Tenant


def arrive(version: AdapterVersion, *, is_evaluated: bool = True) -> None:
    version.run.is_evaluated = is_evaluated
    version.run.save()
    tell(version)


def test_it_meets_its_base_and_the_version_before(
    in_tenant: Tenant, make_version: Callable[..., AdapterVersion]
) -> None:
    make_version()
    make_version()
    version = make_version()
    arrive(version)
    run = EvaluationRun.objects.get()
    assert (run.version, run.created_by) == (version, version.run.created_by)
    assert [model.key for model in run.models.all()] == ["base", "v2", "v3"]


def test_only_if_the_training_asks_for_it(in_tenant: Tenant, version: AdapterVersion) -> None:
    arrive(version, is_evaluated=False)
    assert not EvaluationRun.objects.exists()


def test_without_held_out_rows_there_is_none(in_tenant: Tenant, make_version: Callable[..., AdapterVersion]) -> None:
    arrive(make_version(rows=0))
    assert not EvaluationRun.objects.exists()


def test_a_refusal_does_not_undo_the_training(in_tenant: Tenant, version: AdapterVersion) -> None:
    start_evaluation(tenant=in_tenant, version=version)
    arrive(version)
    assert EvaluationRun.objects.count() == 1


@pytest.fixture
def values(version: AdapterVersion) -> dict[str, Any]:
    return {"adapter": "boxes", "dataset_version": str(version.run.dataset_version_id), "recipe": "style"}


def test_the_form_asks_for_it_unless_told_otherwise(
    as_alice: Client, in_tenant: Tenant, values: dict[str, Any]
) -> None:
    url = reverse("adapters:train")
    assert 'name="evaluate"' in as_alice.get(url).content.decode()
    as_alice.post(url, {**values, "evaluate": "on"})
    as_alice.post(url, values)
    newest = TrainingRun.objects.order_by("-created_at").values_list("is_evaluated", flat=True)[:2]
    assert list(newest) == [False, True]


def test_over_rest_it_is_a_choice(api: APIClient, in_tenant: Tenant, values: dict[str, Any]) -> None:
    for evaluate in (True, False):
        body = {**values, "evaluate": evaluate}
        assert api.post("/api/v1/training-runs/", body, format="json").status_code == 201
        assert TrainingRun.objects.order_by("-created_at")[0].is_evaluated is evaluate
