"""The operator pins adapters to slots."""

import pytest
from django.test import Client

from rest.errors import Conflict
from serving.backends.residency import Loaded, Residency
from serving.capacity.services import pin_deployment, unpin_deployment
from serving.capacity.twins import twin_of
from serving.models import Deployment, DeploymentState, Endpoint
from tenants.models import AuditEvent, Tenant
from tenants.scope import tenant_scope
from tests.serving.capacity.conftest import SETUP, Hold, Use
from tests.serving.memory_endpoint import MemoryEndpoint

pytestmark = pytest.mark.django_db


def press(client: Client, endpoint: Endpoint, deployment: object, *, pinned: bool) -> str:
    sent = {"deployment": str(deployment)} | ({"pinned": "on"} if pinned else {})
    return client.post(f"/operator/endpoints/{endpoint.id}/pin/", sent, follow=True).content.decode()


def test_the_operator_pins_and_unpins(
    small: Endpoint, memory: MemoryEndpoint, hold: Hold, tenant: Tenant, as_olga: Client
) -> None:
    deployment = hold(tenant, "legal", 1)
    memory.resident = Residency(slots=2, adapters={deployment.name: Loaded(level="cpu")}, memory={"base": 8_000_000})
    address = f"/operator/endpoints/{small.id}/capacity/"
    row = as_olga.get(address).content.decode().split('data-testid="adapter"')[1]
    assert "in memory" in row
    assert "Not asked lately" in row
    page = press(as_olga, small, deployment.id, pinned=True)
    assert "legal v1 keeps its slot from now on" in page
    assert "Pinned to a slot" in page
    assert "7.6\xa0MB" in page
    with tenant_scope(tenant.id):
        event = AuditEvent.objects.get(action="deployment.pinned")
    assert event.actor_kind == "operator"
    assert event.after == {"version": "legal v1", "endpoint": "shared"}
    assert "takes turns with the others again" in press(as_olga, small, deployment.id, pinned=False)
    with tenant_scope(tenant.id):
        assert AuditEvent.objects.filter(action="deployment.unpinned").count() == 1


def test_where_nothing_can_be_pinned_there_is_no_button(
    small: Endpoint, memory: MemoryEndpoint, hold: Hold, tenant: Tenant, as_olga: Client
) -> None:
    hold(tenant, "legal", 1)
    address = f"/operator/endpoints/{small.id}/capacity/"
    assert "/pin/" not in as_olga.get(address).content.decode()
    memory.resident = Residency(slots=2)
    assert "/pin/" in as_olga.get(address).content.decode()
    # One that is away says nothing either, and the page is there.
    memory.away = True
    assert "/pin/" not in as_olga.get(address).content.decode()


def test_one_slot_is_left_for_the_others(
    small: Endpoint, memory: MemoryEndpoint, hold: Hold, tenant: Tenant, other_tenant: Tenant, as_olga: Client
) -> None:
    first, second = hold(tenant, "legal", 1), hold(other_tenant, "clinic", 2)
    with tenant_scope(tenant.id):
        pin_deployment(deployment=first)
        assert Deployment.objects.get(id=first.id).is_pinned
    assert "1 of 2 slots are pinned" in press(as_olga, small, second.id, pinned=True)
    memory.set_up = SETUP.but(slots=3)
    assert "keeps its slot" in press(as_olga, small, second.id, pinned=True)


def test_calling_it_again_has_no_effect(small: Endpoint, hold: Hold, tenant: Tenant) -> None:
    deployment = hold(tenant, "legal", 1)
    with tenant_scope(tenant.id):
        unpin_deployment(deployment=deployment)
        assert not AuditEvent.objects.filter(action__startswith="deployment.").exists()


def test_what_is_gone_cannot_be_pinned(small: Endpoint, hold: Hold, tenant: Tenant, as_olga: Client) -> None:
    deployment = hold(tenant, "legal", 1)
    with tenant_scope(tenant.id):
        Deployment.objects.filter(id=deployment.id).update(state=DeploymentState.DELETED)
        with pytest.raises(Conflict, match="no longer on the endpoint"):
            pin_deployment(deployment=deployment)
    address = f"/operator/endpoints/{small.id}/pin/"
    assert as_olga.post(address, {"deployment": str(deployment.id)}).status_code == 404
    assert as_olga.post(address, {"deployment": "x"}).status_code == 404


def test_pinned_adapters_leave_fewer_slots_to_the_others(
    small: Endpoint, memory: MemoryEndpoint, hold: Hold, use: Use, tenant: Tenant, other_tenant: Tenant
) -> None:
    memory.set_up = SETUP.but(slots=3)
    rare = hold(tenant, "rare", 1)
    for seed, requests in ((2, 500), (3, 400), (4, 300)):
        use(hold(other_tenant, f"a{seed}", seed), requests)
    before = twin_of(small)
    with tenant_scope(tenant.id):
        pin_deployment(deployment=rare)
    after = twin_of(small)
    assert before is not None
    assert after is not None
    assert before.misses == 0
    assert after.misses > 100
    assert [one.tier.value for one in after.adapters if one.deployment.version.adapter.name == "rare"] == ["hot"]
