"""Starting an evaluation: what is refused, and with which next step."""

import re
import threading
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from rest_framework.test import APIClient

from adapters.models import Adapter, AdapterVersion, BaseModel
from evaluations.models import EvaluationRun, EvaluationState
from evaluations.runs.contenders import MOST_MODELS
from evaluations.runs.services import start_evaluation
from jobs.backends import compute
from jobs.models import Job
from rest.errors import Conflict, PortalError
from tenants.models import Tenant
from tenants.scope import tenant_scope


def test_a_second_evaluation_waits_for_the_first(in_tenant: Tenant, version: AdapterVersion) -> None:
    first = start_evaluation(tenant=in_tenant, version=version)
    with pytest.raises(Conflict, match="already being evaluated") as refusal:
        start_evaluation(tenant=in_tenant, version=version)
    assert refusal.value.code == "evaluation:already_running"
    EvaluationRun.objects.filter(id=first.id).update(state=EvaluationState.FAILED)
    assert start_evaluation(tenant=in_tenant, version=version).state == EvaluationState.RUNNING


def test_a_version_without_held_out_rows_cannot_be_evaluated(
    in_tenant: Tenant, make_version: Callable[..., AdapterVersion]
) -> None:
    with pytest.raises(Conflict, match="no held-out rows") as refusal:
        start_evaluation(tenant=in_tenant, version=make_version(rows=0))
    assert refusal.value.code == "evaluation:no_test_rows"
    assert not Job.objects.filter(kind="evaluation").exists()


@pytest.mark.django_db(transaction=True)
def test_of_two_starts_at_once_one_wins(tenant: Tenant, version: AdapterVersion) -> None:
    outcomes: list[str] = []
    gate = threading.Barrier(2)

    def start() -> None:
        try:
            with tenant_scope(tenant.id):
                found = AdapterVersion.objects.select_related("adapter", "run__dataset_version__dataset").get()
                gate.wait()
                start_evaluation(tenant=tenant, version=found)
            outcomes.append("started")
        except Conflict as error:
            outcomes.append(error.code)
        finally:
            connection.close()

    threads = [threading.Thread(target=start) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["evaluation:already_running", "started"]
    with tenant_scope(tenant.id):
        assert Job.objects.filter(kind="evaluation").count() == 1


def sent(version: AdapterVersion, **values: Any) -> dict[str, Any]:
    return {"base": "on", "dataset_version": str(version.run.dataset_version_id), "rows": "1000", **values}


def test_the_form_starts_and_shows_it(as_bob: Client, tenant: Tenant, version: AdapterVersion) -> None:
    url = reverse("evaluations:start", args=[version.id])
    assert "Start evaluation" in as_bob.get(url).content.decode()
    response = as_bob.post(url, sent(version), follow=True)
    assert response.status_code == 200
    assert "Queued." in response.content.decode()
    with tenant_scope(tenant.id):
        assert EvaluationRun.objects.get().version == version
    assert "Wait for that evaluation" in as_bob.post(url, sent(version)).content.decode()


def test_the_form_offers_other_versions_and_chooses_the_one_before(
    as_bob: Client, tenant: Tenant, make_version: Callable[..., AdapterVersion]
) -> None:
    first, second, third = make_version(), make_version(), make_version()
    url = reverse("evaluations:start", args=[third.id])
    page = as_bob.get(url).content.decode()
    assert re.search(rf'value="{second.id}"[^>]*checked', page)
    assert not re.search(rf'value="{first.id}"[^>]*checked', page)
    assert f'value="{third.id}"' not in page
    as_bob.post(url, sent(third, versions=[str(first.id), str(second.id)]))
    with tenant_scope(tenant.id):
        assert [model.key for model in EvaluationRun.objects.get().models.all()] == ["base", "v1", "v2", "v3"]


@pytest.mark.parametrize("rows", ["0", "20001", "many", ""])
def test_wrong_numbers_of_rows_are_shown_on_the_form(
    as_bob: Client, tenant: Tenant, version: AdapterVersion, rows: str
) -> None:
    page = as_bob.post(reverse("evaluations:start", args=[version.id]), sent(version, rows=rows)).content.decode()
    assert "invalid-feedback" in page
    with tenant_scope(tenant.id):
        assert not EvaluationRun.objects.exists()


def test_versions_on_another_base_are_refused(
    in_tenant: Tenant, version: AdapterVersion, make_version: Callable[..., AdapterVersion]
) -> None:
    other = make_version()
    base = BaseModel.objects.create(name="other", title="Other", location="/nowhere")
    other.adapter = Adapter.objects.create(tenant=in_tenant, name="foreign", base_model=base)
    other.save()
    with pytest.raises(PortalError, match="another base model") as refusal:
        start_evaluation(tenant=in_tenant, version=version, versions=[other])
    assert refusal.value.code == "evaluation:other_base_model"


def test_a_base_that_evaluations_cannot_read_is_refused(
    in_tenant: Tenant, as_bob: Client, api: APIClient, version: AdapterVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(compute["default"]), "reads_base_model", lambda self, place: place == "s3://models/own/")
    base, data = version.adapter.base_model, version.run.dataset_version
    for about, field in (({"version": version}, "version"), ({"base_model": base}, "base_model")):
        with pytest.raises(Conflict, match="its files are not where evaluations run") as refusal:
            start_evaluation(tenant=in_tenant, dataset_version=data, **about)
        assert (refusal.value.code, refusal.value.field) == ("evaluation:base_model_not_in_s3", field)
    answer = api.post("/api/v1/evaluations/", {"version": str(version.id)}, format="json")
    assert (answer.status_code, answer.json()["code"]) == (409, "evaluation:base_model_not_in_s3")
    page = as_bob.post(reverse("evaluations:start", args=[version.id]), sent(version)).content.decode()
    assert "ask your site’s operator to set its location" in page
    assert not Job.objects.filter(kind="evaluation").exists()
    BaseModel.objects.filter(id=base.id).update(sagemaker_uri="s3://models/own/")
    version.adapter.base_model.refresh_from_db()
    assert start_evaluation(tenant=in_tenant, version=version).state == EvaluationState.RUNNING


def test_too_many_models_are_refused(in_tenant: Tenant, make_version: Callable[..., AdapterVersion]) -> None:
    versions = [make_version() for _ in range(MOST_MODELS)]
    with pytest.raises(PortalError, match="Choose up to 8 models"):
        start_evaluation(tenant=in_tenant, version=versions[-1], versions=versions)
    run = start_evaluation(tenant=in_tenant, version=versions[-1], versions=versions, base=False)
    assert run.models.count() == MOST_MODELS


def test_nobody_else_can_start_it(as_charlie: Client, as_rita: Client, tenant: Tenant, version: AdapterVersion) -> None:
    address = reverse("evaluations:start", args=[version.id])
    assert as_charlie.post(address).status_code == 404
    assert as_charlie.post(reverse("evaluations:start", args=[uuid4()])).status_code == 404
    assert as_rita.post(address).status_code == 403
    with tenant_scope(tenant.id):
        assert not EvaluationRun.objects.exists()
