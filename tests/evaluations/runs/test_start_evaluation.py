"""Starting an evaluation: what is refused, and with which next step."""

import threading
from collections.abc import Callable
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from adapters.models import AdapterVersion
from evaluations.models import EvaluationRun, EvaluationState
from evaluations.runs.services import start_evaluation
from jobs.models import Job
from rest.errors import Conflict
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


def test_the_button_starts_and_shows_it(as_bob: Client, tenant: Tenant, version: AdapterVersion) -> None:
    response = as_bob.post(reverse("evaluations:start", args=[version.id]), follow=True)
    assert response.status_code == 200
    assert "Queued." in response.content.decode()
    with tenant_scope(tenant.id):
        assert EvaluationRun.objects.get().version == version
    again = as_bob.post(reverse("evaluations:start", args=[version.id]))
    assert again.status_code == 409
    assert "Wait for that evaluation" in again.content.decode()


def test_nobody_else_can_start_it(as_charlie: Client, as_rita: Client, tenant: Tenant, version: AdapterVersion) -> None:
    address = reverse("evaluations:start", args=[version.id])
    assert as_charlie.post(address).status_code == 404
    assert as_charlie.post(reverse("evaluations:start", args=[uuid4()])).status_code == 404
    assert as_rita.post(address).status_code == 403
    with tenant_scope(tenant.id):
        assert not EvaluationRun.objects.exists()
