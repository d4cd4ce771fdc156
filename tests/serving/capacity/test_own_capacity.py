"""What customers see of an endpoint's capacity: their own adapters, and nothing of others."""

from collections.abc import Callable

import pytest
from django.test import Client
from rest_framework.test import APIClient

from adapters.models import AdapterVersion
from serving.models import Endpoint
from tenants.models import Tenant
from tenants.scope import tenant_scope
from tests.serving.capacity.conftest import Hold, Use
from tests.serving.memory_endpoint import MemoryEndpoint

pytestmark = pytest.mark.django_db
MakeVersion = Callable[..., AdapterVersion]


def test_rest_has_the_own_adapters_only(
    small: Endpoint, hold: Hold, use: Use, tenant: Tenant, other_tenant: Tenant, api: APIClient
) -> None:
    mine = hold(tenant, "legal", 1)
    use(mine, 480)
    use(hold(other_tenant, "clinic", 2), 7200)
    answer = api.get(f"/api/v1/endpoints/{small.id}/capacity/")
    assert answer.json() == {
        "highest_rank": 64,
        "context_tokens": 2048,
        "adapters_take_turns": False,
        "adapters": [
            {
                "deployment": str(mine.id), "version": str(mine.version_id), "alias": "legal", "rank": 4,
                "requests_per_hour": pytest.approx(20.0), "tier": "hot",
            }
        ],
    }  # fmt: skip
    hold(other_tenant, "notes", 3)
    answer = api.get(f"/api/v1/endpoints/{small.id}/capacity/")
    assert answer.json()["adapters_take_turns"] is True
    assert "clinic" not in answer.content.decode()


def test_an_endpoint_that_nobody_knows_says_only_what_applies_to_all(
    small: Endpoint, memory: MemoryEndpoint, hold: Hold, tenant: Tenant, api: APIClient
) -> None:
    hold(tenant, "legal", 1)
    memory.set_up = None
    answer = api.get(f"/api/v1/endpoints/{small.id}/capacity/").json()
    assert answer["adapters_take_turns"] is None
    assert answer["adapters"] == []


def test_the_promotion_dialog_says_that_adapters_take_turns(
    small: Endpoint, hold: Hold, tenant: Tenant, other_tenant: Tenant, make_version: MakeVersion, as_alice: Client
) -> None:
    version = make_version(tenant, "legal", 1)
    address = f"/serving/versions/{version.id}/"
    hold(other_tenant, "clinic", 2)
    assert "capacity-note" not in as_alice.get(address).content.decode()
    hold(other_tenant, "notes", 3)
    page = as_alice.get(address).content.decode()
    assert "so they take turns" in page.split('data-testid="capacity-note"')[1]
    assert "clinic" not in page
    assert "Cedar Care" not in page


def test_a_rank_that_does_not_fit_is_said_before_it_fails(
    small: Endpoint, tenant: Tenant, make_version: MakeVersion, as_alice: Client
) -> None:
    version = make_version(tenant, "legal", 1)
    with tenant_scope(tenant.id):
        AdapterVersion.objects.filter(id=version.id).update(rank=128)
    page = as_alice.get(f"/serving/versions/{version.id}/").content.decode()
    assert "rank 128, and the endpoint serves adapters up to rank 64" in page
    assert "promote-version" not in page
