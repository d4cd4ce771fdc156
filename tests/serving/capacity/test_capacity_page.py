"""The operator's page of what fits on an endpoint."""

import pytest
from django.test import Client

from lorakit.capacity.machines import GIB
from serving.models import Endpoint
from tenants.models import Tenant
from tests.serving.capacity.conftest import SETUP, Hold, Use
from tests.serving.memory_endpoint import MemoryEndpoint

pytestmark = pytest.mark.django_db


def page(client: Client, endpoint: Endpoint, query: str = "") -> str:
    return client.get(f"/operator/endpoints/{endpoint.id}/capacity/{query}").content.decode()


def test_it_shows_memory_load_and_adapters_by_use(
    small: Endpoint, hold: Hold, use: Use, tenant: Tenant, other_tenant: Tenant, as_olga: Client
) -> None:
    use(hold(tenant, "legal", 1), 720)
    use(hold(other_tenant, "clinic", 2), 7200)
    hold(tenant, "unused", 3)
    shown = page(as_olga, small)
    first, second, third = shown.split('data-testid="adapter"')[1:]
    assert "clinic" in first
    assert "Cedar Care" in first
    assert "In a slot" in first
    assert "300.0" in first
    assert "legal" in second
    assert "unused" in third
    assert "Not asked lately" in third
    assert "2 of 2" in shown
    assert "3 adapters take turns" in shown
    assert "2 slots of rank 32 and one for the base, 1.8\xa0MB each" in shown
    assert 'id="chart-memory-figure"' in shown


def test_it_answers_what_more_would_change(
    small: Endpoint, hold: Hold, use: Use, tenant: Tenant, as_olga: Client
) -> None:
    use(hold(tenant, "legal", 1), 3600)
    assert 'name="rank" value="4"' in page(as_olga, small)
    shown = page(as_olga, small, "?adapters=1&rank=16&an_hour=100")
    assert 'data-verdict="fits"' in shown
    assert "Yes. Every adapter keeps a slot." in shown
    shown = page(as_olga, small, "?adapters=4&rank=64&an_hour=100")
    assert 'data-verdict="refused"' in shown


@pytest.mark.parametrize("query", ["?rank=x", "?adapters=0&rank=1&an_hour=-1", "?adapters=1&rank=9999&an_hour=1e400"])
def test_bad_figures_are_told_at_their_fields(small: Endpoint, as_olga: Client, query: str) -> None:
    shown = page(as_olga, small, query)
    assert "data-verdict" not in shown
    assert "invalid-feedback" in shown


def test_what_does_not_fit_says_what_would(small: Endpoint, memory: MemoryEndpoint, as_olga: Client) -> None:
    memory.set_up = SETUP.but(slots=10_000, host_adapters=10_000, device_bytes=GIB)
    shown = page(as_olga, small)
    assert "10,000 slots of rank 32 and one sequence of 2,048 tokens need" in shown
    assert "instead of 10,000." in shown


def test_an_endpoint_that_nobody_knows_says_so(small: Endpoint, memory: MemoryEndpoint, as_olga: Client) -> None:
    memory.set_up = None
    assert "Nothing to calculate from" in page(as_olga, small)
    Endpoint.objects.filter(id=small.id).update(backend="gone")
    assert "The settings don’t fit" in page(as_olga, small)


def test_nobody_else_finds_it(small: Endpoint, as_alice: Client) -> None:
    assert as_alice.get(f"/operator/endpoints/{small.id}/capacity/").status_code == 404
