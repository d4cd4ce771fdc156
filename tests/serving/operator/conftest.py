"""Endpoints in memory: one that is run elsewhere, with an address, and a cloud that makes them in short steps."""

from collections.abc import Callable, Iterator
from typing import Any, ClassVar

import pytest
from pytest_django import Settings

from adapters.models import AdapterVersion
from serving.backends import endpoints
from serving.backends.base import PRICE, Health, Option, Provision
from serving.backends.errors import EndpointError
from serving.endpoints.provisioning import advance
from serving.endpoints.services import create_endpoint
from serving.models import Endpoint
from serving.promotions.services import promote_version
from tenants.models import Tenant
from tenants.scope import tenant_scope
from tests.serving.memory_endpoint import MemoryEndpoint
from tests.serving.slow_provision import SlowProvision

HERE, CLOUD = "default", "cloud"


class AddressedEndpoint(MemoryEndpoint):
    """Is told from others by its address, and away where that says so."""

    title = "Servers of our own"
    own = (
        Option(name="URL", title="Address", help="Without /v1."),
        Option(name="URLS", title="Addresses"),
        Option(name="MAX_RANK", title="Highest rank"),
        *PRICE,
    )
    options: ClassVar[dict[str, Any]] = {**MemoryEndpoint.options, "URL": "", "URLS": ()}

    def __init__(self, alias: str, options: dict[str, Any]) -> None:
        super().__init__(alias, options)
        if not options.get("URL") and not options.get("URLS"):
            raise ValueError("It needs the option URL")
        self.away = "away" in str(options.get("URL"))

    def health(self) -> Health:
        return Health(ok=not self.away, text="It is away." if self.away else "", base="tiny-llama")


class CloudEndpoint(MemoryEndpoint):
    """Is made in a few looks; one of the instance type `none` can't be had."""

    title = "The cloud"
    own = (
        Option(name="INSTANCE_TYPE", title="Instance type", help="Such as ml.g6e.xlarge."),
        Option(name="MAX_RANK", title="Highest rank", choices=(8, 16, 32, 64)),
        Option(name="CPU_ADAPTERS", title="Adapters in memory"),
        *PRICE,
    )
    options: ClassVar[dict[str, Any]] = {**MemoryEndpoint.options, "INSTANCE_TYPE": "g6e", "CPU_ADAPTERS": 4}

    def __init__(self, alias: str, options: dict[str, Any]) -> None:
        super().__init__(alias, options)
        self.made = SlowProvision()
        if options.get("INSTANCE_TYPE") == "none":
            self.made.trouble = EndpointError("endpoint:failed", "No machine of this type is free.", temporary=False)
        if {**self.options, **options}["CPU_ADAPTERS"] < 1:
            raise ValueError("CPU_ADAPTERS must be at least 1")

    def scaling(self) -> Iterator[str]:
        yield "1 copy, between 1 and 2."

    def health(self) -> Health:
        return Health(ok=True, base="tiny-llama", adapters=len(self.held))

    def provision(self) -> Provision:
        return self.made


@pytest.fixture
def site(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """A site with both kinds."""
    module = "tests.serving.operator.conftest"
    settings.ENDPOINTS = {
        HERE: {"BACKEND": f"{module}.AddressedEndpoint", "OPTIONS": {"URL": "http://10.0.0.1:8000"}},
        CLOUD: {
            "BACKEND": f"{module}.CloudEndpoint",
            "OPTIONS": {"PRICE_USD_PER_HOUR": 1.5, "PRICE_SOURCE": "Price list of the cloud"},
        },
    }
    monkeypatch.setattr(endpoints, "built", {})


@pytest.fixture
def shared(site: None, endpoint: Endpoint) -> Endpoint:
    """The first endpoint, which is run elsewhere."""
    return endpoint


@pytest.fixture
def promoted(
    shared: Endpoint,
    make_version: Callable[..., AdapterVersion],
    run_jobs: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
) -> Callable[[Tenant, str, int], None]:
    """Promotes a version of a tenant's adapter, made from a seed, to the tenant's place."""
    # Where the endpoint is in memory nobody can be asked, so there are no known answers.
    monkeypatch.setattr("serving.endpoints.loading.known_answers", lambda version, limit: [])

    def promote(tenant: Tenant, name: str, seed: int) -> None:
        with tenant_scope(tenant.id):
            promote_version(tenant=tenant, version=make_version(tenant, name, seed), created_by=None)
        run_jobs()

    return promote


@pytest.fixture
def eu(shared: Endpoint) -> Endpoint:
    """A second endpoint, in the cloud and in service."""
    made = create_endpoint(name="eu-2", backend=CLOUD, base_model=shared.base_model, options={"MAX_RANK": 32})
    for _ in range(2):
        advance(made)
    assert made.is_serving
    return made
