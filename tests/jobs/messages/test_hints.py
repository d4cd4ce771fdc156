"""Messages: one is enough for any number of queued jobs, and a worker that ends a job needs none for the next."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from celery import current_app
from django.core.cache import cache

from jobs import kinds
from jobs.kinds import Kind
from jobs.models import Job
from jobs.outcomes import Outcome, Stopped, Succeeded
from jobs.queue.admission import admit
from jobs.services import start_job
from jobs.states import State
from jobs.tasks import start_queued, step
from tenants.models import Tenant
from tenants.scope import system_scope, tenant_scope

pytestmark = pytest.mark.django_db(transaction=True)


class InstantKind(Kind):
    name = "instant"
    title = "Instant"

    def step(self, job: Job) -> Outcome:
        return Succeeded()

    def cancel(self, job: Job) -> Outcome:
        return Stopped()


@pytest.fixture(autouse=True)
def instant() -> Iterator[None]:
    kinds.register(InstantKind())
    yield
    del kinds._kinds[InstantKind.name]


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the messages sent; nobody gets them."""
    names: list[str] = []
    cache.clear()

    def send(name: str, *args: Any, **kwargs: Any) -> None:
        names.append(name)

    monkeypatch.setattr(current_app, "send_task", send)
    return names


def queue(tenant: Tenant, count: int) -> list[UUID]:
    with tenant_scope(tenant.id):
        return [start_job(tenant=tenant, kind="instant", title="instant", spec={}).id for _ in range(count)]


def test_many_queued_jobs_are_one_message(sent: list[str], tenant: Tenant) -> None:
    queue(tenant, 20)
    assert sent == ["jobs.admit"]
    start_queued()
    del sent[:]
    queue(tenant, 1)
    assert sent == ["jobs.admit"], "what was queued after the queue was looked at asks anew"


def test_a_job_that_ends_lets_the_next_in(sent: list[str], tenant: Tenant) -> None:
    queue(tenant, 6)
    first, second = admit()
    del sent[:]
    step(str(first.id))
    with system_scope():
        states = dict(Job.objects.values_list("id", "state"))
    assert states.pop(second.id) == State.RUNNING
    assert set(states.values()) == {State.SUCCEEDED}
    assert sent == []


def test_a_worker_looks_at_its_other_messages_in_between(
    sent: list[str], tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jobs.tasks.OWN_SECONDS", 0.0)
    queue(tenant, 4)
    first, _ = admit()
    del sent[:]
    step(str(first.id))
    assert sent == ["jobs.step"], "the next one is left to a message"
