"""An endpoint in memory whose engine has two slots, and usage of its adapters."""

import datetime as dt
from collections.abc import Callable

import pytest
from django.utils import timezone

from adapters.models import AdapterVersion
from lorakit.capacity.setup import Setup
from metering.ledger.rollup import hour_of
from metering.ledger.sketches import sketch_of
from metering.models import HourlyUsage
from serving.endpoints.deployments import hold_deployment, move
from serving.models import Deployment, DeploymentState, Endpoint
from tenants.models import Tenant
from tenants.scope import tenant_scope
from tests.serving.memory_endpoint import MemoryEndpoint

SETUP = Setup(
    engine="lorakit", precision="fp32", device_bytes=None, has_gpu=False, slots=2, host_adapters=3, max_rank=32,
    context=2048, width=32,
)  # fmt: skip

Hold = Callable[[Tenant, str, int], Deployment]
Use = Callable[..., None]


@pytest.fixture
def small(memory: MemoryEndpoint, endpoint: Endpoint) -> Endpoint:
    """The site's endpoint, with two slots and three places in memory."""
    memory.set_up = SETUP
    return endpoint


@pytest.fixture
def hold(small: Endpoint, make_version: Callable[..., AdapterVersion]) -> Hold:
    """Put a version of a tenant's adapter, made from a seed, into service two days ago."""

    def put(tenant: Tenant, name: str, seed: int) -> Deployment:
        version = make_version(tenant, name, seed)
        with tenant_scope(tenant.id):
            deployment = hold_deployment(endpoint=small, version=version)
            assert move(deployment, DeploymentState.IN_SERVICE)
            Deployment.objects.filter(id=deployment.id).update(in_service_at=timezone.now() - dt.timedelta(days=2))
            deployment.refresh_from_db()
        return deployment

    return put


@pytest.fixture
def use() -> Use:
    """Requests for a deployment in an hour, so many hours ago, that were busy and took a time in milliseconds each."""

    def ask(
        deployment: Deployment, requests: int, *, busy_ms: float = 100.0, latency_ms: float = 200.0, ago: int = 1
    ) -> None:
        hour = hour_of(timezone.now() - dt.timedelta(hours=ago))
        with tenant_scope(deployment.tenant_id):
            HourlyUsage.objects.create(
                hour=hour, alias=deployment.version.adapter.name, version_key=str(deployment.version_id),
                requests=requests, busy_us=round(requests * busy_ms * 1000),
                latency_sketch=sketch_of([latency_ms] * requests),
            )  # fmt: skip

    return ask
