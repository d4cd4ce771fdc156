"""Webhooks hear how a job ended, once."""

from collections.abc import Callable

import pytest

from jobs.models import Job
from jobs.services import stop_job
from tenants.models import Tenant, WebhookEvent
from tenants.scope import tenant_scope
from tenants.webhooks.services import create_webhook
from tests.jobs.conftest import ToyKind

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


@pytest.fixture(autouse=True)
def listening(tenant: Tenant) -> None:
    with tenant_scope(tenant.id):
        create_webhook(tenant=tenant, url="https://example.com/")


def events(tenant: Tenant) -> list[WebhookEvent]:
    with tenant_scope(tenant.id):
        return list(WebhookEvent.objects.all())


def test_of_success(tenant: Tenant, start_toy: Callable[..., Job], run_jobs: Callable[..., None]) -> None:
    job = start_toy(steps=3)
    run_jobs()
    [event] = events(tenant)
    assert (event.kind, event.data["job"], event.data["kind"]) == ("job.succeeded", str(job.id), "toy")
    assert event.data["billable_seconds"] > 0
    assert event.data["error"] is None


def test_of_failure_with_its_reason(
    tenant: Tenant, toy: ToyKind, start_toy: Callable[..., Job], run_jobs: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(toy, "max_attempts", 1)
    start_toy(steps=5, cannot_pass=1)
    run_jobs()
    [event] = events(tenant)
    assert event.kind == "job.failed"
    assert event.data["error"]["code"] == "platform:run_lost"


def test_of_a_stop_while_it_is_queued(tenant: Tenant, start_toy: Callable[..., Job]) -> None:
    job = start_toy(steps=3)
    with tenant_scope(tenant.id):
        stop_job(job_id=job.id)
        stop_job(job_id=job.id)
    assert [event.kind for event in events(tenant)] == ["job.stopped"]
