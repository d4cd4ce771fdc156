"""The operator moves a tenant: in its scope, on its audit trail, and only from where it is."""

from collections.abc import Callable
from uuid import uuid4

import pytest
from django.test import Client

from adapters.models import BaseModel
from jobs.models import Job
from serving.backends import endpoints
from serving.backends.base import Status
from serving.endpoints.services import ensure_endpoint
from serving.models import Endpoint, EndpointState, Route
from tenants.models import AuditEvent, Tenant, User
from tenants.scope import system_scope, tenant_scope
from tests.serving.memory_endpoint import MemoryEndpoint

pytestmark = pytest.mark.django_db

LIST = "/operator/endpoints/"
Promoted = Callable[[Tenant, str, int], None]


def rows(client: Client, endpoint: Endpoint) -> list[str]:
    return client.get(f"{LIST}{endpoint.id}/").content.decode().split('data-testid="tenant"')[1:]


def move(client: Client, endpoint: Endpoint, tenant: Tenant, to: Endpoint) -> str:
    sent = {"tenant": tenant.id, "to": to.id}
    return client.post(f"{LIST}{endpoint.id}/move/", sent, follow=True).content.decode()


def on(endpoint: Endpoint) -> set[str]:
    """Aliases that are answered there."""
    with system_scope():
        return set(Route.objects.filter(active__endpoint=endpoint).values_list("alias", flat=True))


def test_it_is_moved_in_its_own_scope_and_trail(
    as_olga: Client, olga: User, tenant: Tenant, other_tenant: Tenant, shared: Endpoint, eu: Endpoint,
    promoted: Promoted, run_jobs: Callable[..., None],
) -> None:  # fmt: skip
    promoted(tenant, "legal", 1)
    promoted(other_tenant, "tickets", 2)
    assert "Alder Law is moving to eu-2." in move(as_olga, shared, tenant, eu)
    first, second = rows(as_olga, shared)
    assert "Moving" in first
    assert "to eu-2: starting" in first
    assert "new versions go to eu-2" in first
    assert "Moving" not in second
    assert 'id="live" class="stack" data-live="3"' in as_olga.get(f"{LIST}{shared.id}/").content.decode()
    run_jobs()
    assert (on(shared), on(eu)) == ({"tickets"}, {"legal"})
    assert len(rows(as_olga, shared)) == len(rows(as_olga, eu)) == 1
    with tenant_scope(tenant.id):
        event = AuditEvent.objects.get(action="endpoint.moved")
    assert (event.actor_kind, event.actor_id, event.actor_name) == ("operator", str(olga.id), "")
    with tenant_scope(other_tenant.id):
        assert not AuditEvent.objects.filter(action="endpoint.moved").exists()
        assert not Job.objects.filter(kind="endpoint_move").exists()


def test_the_page_is_loaded_anew_once_nothing_moves(
    as_olga: Client, tenant: Tenant, shared: Endpoint, eu: Endpoint, promoted: Promoted, run_jobs: Callable[..., None]
) -> None:
    promoted(tenant, "legal", 1)
    move(as_olga, shared, tenant, eu)
    polled = {"HX-Request": "true"}
    assert "HX-Refresh" not in as_olga.get(f"{LIST}{shared.id}/", headers=polled)
    run_jobs()
    assert as_olga.get(f"{LIST}{shared.id}/", headers=polled)["HX-Refresh"] == "true"


def test_a_move_that_failed_says_why_and_is_tried_again(
    as_olga: Client, tenant: Tenant, shared: Endpoint, eu: Endpoint, promoted: Promoted, run_jobs: Callable[..., None]
) -> None:
    promoted(tenant, "legal", 1)
    backend = endpoints.of(eu.backend, eu.options)
    assert isinstance(backend, MemoryEndpoint)
    backend.next_status = Status.FAILED
    move(as_olga, shared, tenant, eu)
    run_jobs()
    (row,) = rows(as_olga, shared)
    assert "Move failed" in row
    assert on(shared) == {"legal"}
    backend.held, backend.next_status = {}, Status.IN_SERVICE
    assert "is moving to eu-2" in move(as_olga, shared, tenant, eu)
    assert "is on eu-2 already" in move(as_olga, shared, tenant, eu), "while that move is under way"
    run_jobs()
    assert on(eu) == {"legal"}
    (row,) = rows(as_olga, eu)
    assert "Move failed" not in row
    assert "is on eu-2 already" in move(as_olga, eu, tenant, eu)


def test_only_endpoints_that_can_take_it_are_offered(
    as_olga: Client, tenant: Tenant, shared: Endpoint, eu: Endpoint, promoted: Promoted
) -> None:
    promoted(tenant, "legal", 1)
    another = BaseModel.objects.create(name="another", title="Another", location="another")
    foreign = ensure_endpoint(name="foreign", backend="cloud", base_model=another)
    page = as_olga.get(f"{LIST}{shared.id}/").content.decode()
    assert f'<option value="{eu.id}">eu-2</option>' in page
    assert f'<option value="{shared.id}">' not in page
    assert f'<option value="{foreign.id}">' not in page
    assert "Choose an endpoint that is in service" in move(as_olga, shared, tenant, foreign)
    Endpoint.objects.filter(id=eu.id).update(state=EndpointState.FAILED)
    assert "Move…" not in rows(as_olga, shared)[0]
    assert "Choose an endpoint that is in service" in move(as_olga, shared, tenant, eu)
    with tenant_scope(tenant.id):
        assert not Job.objects.filter(kind="endpoint_move").exists()


def test_a_tenant_that_is_not_there_is_not_found(
    as_olga: Client, tenant: Tenant, other_tenant: Tenant, shared: Endpoint, eu: Endpoint, promoted: Promoted
) -> None:
    promoted(tenant, "legal", 1)
    url = f"{LIST}{shared.id}/move/"
    assert as_olga.post(url, {"tenant": other_tenant.id, "to": eu.id}).status_code == 404
    assert as_olga.post(url, {"tenant": uuid4(), "to": eu.id}).status_code == 404
    assert as_olga.post(f"{LIST}{uuid4()}/move/", {"tenant": tenant.id, "to": eu.id}).status_code == 404
    assert "Enter a valid UUID" in as_olga.post(url, {"tenant": "x", "to": eu.id}, follow=True).content.decode()
    with system_scope():
        assert not Job.objects.filter(kind="endpoint_move").exists()
