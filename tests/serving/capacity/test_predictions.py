"""What is predicted when an adapter comes, and what came of it a day later."""

import datetime as dt

import pytest
from django.test import Client
from django.utils import timezone

from serving.backends.residency import Residency
from serving.capacity.following import KEPT, follow_endpoints
from serving.capacity.predictions import median_errors
from serving.models import CapacityPrediction, Deployment, Endpoint
from tenants.models import Tenant
from tenants.scope import system_scope
from tests.serving.capacity.conftest import Hold, Use
from tests.serving.memory_endpoint import MemoryEndpoint

pytestmark = pytest.mark.django_db

DAY = dt.timedelta(days=1)


def comes_now(deployment: Deployment) -> dt.datetime:
    """When it came: now, rather than two days ago."""
    now = timezone.now()
    with system_scope():
        Deployment.objects.filter(id=deployment.id).update(in_service_at=now)
    return now


def predictions() -> list[CapacityPrediction]:
    with system_scope():
        return list(CapacityPrediction.objects.order_by("created_at"))


def test_a_new_adapter_is_predicted_for_once(
    small: Endpoint, memory: MemoryEndpoint, hold: Hold, use: Use, tenant: Tenant, other_tenant: Tenant
) -> None:
    memory.resident = Residency(slots=2, loads=40)
    use(hold(tenant, "legal", 1), 1200)
    use(hold(tenant, "triage", 2), 600)
    new = hold(other_tenant, "clinic", 3)
    since = comes_now(new)
    follow_endpoints()
    follow_endpoints()
    [prediction] = predictions()
    assert prediction.deployment_id == new.id
    assert prediction.tenant_id == other_tenant.id
    assert prediction.due_at == since + DAY
    assert prediction.loads_before == 40
    assert prediction.measured_at is None
    # As nobody has asked it yet, it is expected to be asked as often as half of the others: three share two slots.
    assert prediction.predicted["waits_a_day"] > 300
    assert prediction.predicted["p95_ms"] > 198
    assert prediction.predicted["memory_bytes"] > 380_000_000


def test_a_new_version_takes_over_the_requests_of_the_one_before(
    small: Endpoint, hold: Hold, use: Use, tenant: Tenant
) -> None:
    use(hold(tenant, "legal", 1), 1200)
    use(hold(tenant, "triage", 2), 600)
    comes_now(hold(tenant, "legal", 3))
    follow_endpoints()
    [prediction] = predictions()
    # Two model IDs share two slots, and nothing is added to the load.
    assert prediction.predicted["waits_a_day"] == 0
    assert prediction.predicted["p95_ms"] == pytest.approx(198.4, rel=0.001)
    assert prediction.loads_before is None


def test_a_day_later_it_is_compared_with_what_was_measured(
    small: Endpoint, memory: MemoryEndpoint, hold: Hold, use: Use, tenant: Tenant, as_olga: Client
) -> None:
    memory.resident = Residency(slots=2, loads=40)
    legal = hold(tenant, "legal", 1)
    use(legal, 1200)
    new = hold(tenant, "clinic", 2)
    since = comes_now(new)
    follow_endpoints()
    fixed = plan_of_small()
    memory.resident = Residency(
        slots=2, loads=64, memory={"base": fixed - 1_000_000, "slots": 1_000_000, "process": 0, "cache": 77}
    )
    use(new, 300, latency_ms=250.0, ago=-2)
    follow_endpoints(now=since + DAY / 2)
    assert predictions()[0].measured_at is None
    follow_endpoints(now=since + DAY)
    [row] = predictions()
    assert row.measured_at == since + DAY
    assert row.measured["memory_bytes"] == fixed
    assert row.measured["waits_a_day"] == pytest.approx(24)
    assert row.measured["p95_ms"] == pytest.approx(250, rel=0.01)
    errors = median_errors([row])
    assert errors["memory_bytes"] == 0
    assert errors["p95_ms"] == pytest.approx(1 - row.predicted["p95_ms"] / row.measured["p95_ms"])
    page = as_olga.get(f"/operator/endpoints/{small.id}/capacity/").content.decode()
    shown = page.split('data-testid="prediction"')[1]
    assert "clinic" in shown
    assert f"→ {row.measured['p95_ms']:.0f} ms" in shown
    assert "Half of them were off by less than: p95 21%" in page


def plan_of_small() -> int:
    [row] = predictions()
    planned: int = row.predicted["memory_bytes"]
    return planned


def test_an_engine_that_restarted_tells_no_number_of_waits(
    small: Endpoint, memory: MemoryEndpoint, hold: Hold, tenant: Tenant
) -> None:
    memory.resident = Residency(slots=2, loads=40)
    since = comes_now(hold(tenant, "legal", 1))
    follow_endpoints()
    memory.resident = Residency(slots=2, loads=3)
    follow_endpoints(now=since + DAY)
    [row] = predictions()
    assert row.measured == {"p95_ms": None, "waits_a_day": None, "memory_bytes": None}
    assert median_errors([row]) == {}


def test_an_endpoint_that_is_away_is_waited_for_a_day(
    small: Endpoint, memory: MemoryEndpoint, hold: Hold, tenant: Tenant
) -> None:
    since = comes_now(hold(tenant, "legal", 1))
    follow_endpoints()
    memory.away = True
    follow_endpoints(now=since + DAY * 1.5)
    assert predictions()[0].measured_at is None
    follow_endpoints(now=since + DAY * 2.1)
    assert predictions()[0].measured_at is not None


def test_what_has_been_there_for_long_or_is_not_known_is_not_predicted(
    small: Endpoint, memory: MemoryEndpoint, hold: Hold, tenant: Tenant
) -> None:
    hold(tenant, "legal", 1)
    follow_endpoints()
    assert predictions() == []
    comes_now(hold(tenant, "triage", 2))
    memory.set_up = None
    follow_endpoints()
    Endpoint.objects.filter(id=small.id).update(backend="gone")
    follow_endpoints()
    assert predictions() == []


def test_old_predictions_are_forgotten(small: Endpoint, hold: Hold, tenant: Tenant) -> None:
    comes_now(hold(tenant, "legal", 1))
    follow_endpoints()
    follow_endpoints(now=timezone.now() + KEPT - DAY)
    assert len(predictions()) == 1
    follow_endpoints(now=timezone.now() + KEPT + DAY)
    assert predictions() == []
