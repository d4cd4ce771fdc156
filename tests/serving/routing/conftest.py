"""Alice's tenant with two live aliases and a base model, none of which anybody asks."""

from collections.abc import Callable

import pytest

from adapters.models import AdapterVersion
from serving.endpoints.deployments import hold_deployment, move
from serving.models import DeploymentState, Endpoint, Route
from serving.promotions.routes import switch_route
from tenants.models import Tenant
from tenants.scope import tenant_scope
from tests.serving.memory_endpoint import MemoryEndpoint

PutLive = Callable[[Tenant, str], Route]


@pytest.fixture
def put_live(memory: MemoryEndpoint, endpoint: Endpoint, make_version: Callable[..., AdapterVersion]) -> PutLive:
    """An adapter whose first version is live."""

    def put(tenant: Tenant, name: str) -> Route:
        version = make_version(tenant, name, 1)
        with tenant_scope(tenant.id):
            deployment = hold_deployment(endpoint=endpoint, version=version)
            move(deployment, DeploymentState.IN_SERVICE)
            route = Route.objects.create(adapter=version.adapter, alias=name)
            return switch_route(route=route, to=deployment)

    return put


@pytest.fixture
def desk(tenant: Tenant, put_live: PutLive) -> Tenant:
    """The tenant with `billing` and `legal` live."""
    put_live(tenant, "billing")
    put_live(tenant, "legal")
    return tenant
