"""Deployments on a SageMaker endpoint whose metrics tests publish themselves, by a clock that they move."""

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from django.db.models import QuerySet
from pytest_django import Settings

from adapters.models import AdapterVersion
from metering.backends import usage_sources
from metering.backends.cloudwatch import CloudWatch
from metering.models import ObservedUsage
from metering.observed.services import read_observed
from serving.backends import endpoints
from serving.backends.sagemaker import SageMakerEndpoint
from serving.endpoints.deployments import hold_deployment, move
from serving.models import Deployment, DeploymentState, Endpoint
from standin.clock import ManualClock
from standin.faults import Faults, MetricFaults
from standin.server import StandIn
from tenants.models import Tenant
from tenants.scope import system_scope, tenant_scope
from tests.metering.backends.published import answer, moment, publishing, source_at
from tests.serving.conftest import canary, endpoint, make_version  # noqa: F401
from tests.serving.sagemaker_endpoint import sagemaker_endpoint


@dataclass
class Cloud:
    """The stand-in, its clock, and the site's endpoint on it."""

    standin: StandIn
    clock: ManualClock
    backend: SageMakerEndpoint

    @property
    def now(self) -> dt.datetime:
        return moment(self.clock)

    @property
    def faults(self) -> MetricFaults:
        return self.standin.hosting.metric_data.faults

    def wait(self, **time: float) -> dt.datetime:
        """Move the clock, and return the time."""
        self.clock.advance(dt.timedelta(**time).total_seconds())
        return self.now

    def answer(self, deployment: Deployment, *, count: int = 1, failed: int = 0, ms: float = 100.0) -> None:
        """The deployment's component answers now."""
        answer(self.standin, self.backend.component(deployment.name), count=count, failed=failed, ms=ms)

    def read(self, **changes: float) -> None:
        """What the worker does every few minutes."""
        read_observed(now=self.now, **changes)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Cloud, CloudWatch]]:
    with publishing(tmp_path_factory.mktemp("observed")) as (standin, clock):
        yield Cloud(standin, clock, sagemaker_endpoint(standin)), source_at(standin)


@pytest.fixture
def cloud(
    server: tuple[Cloud, CloudWatch],
    endpoint: Endpoint,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
    settings: Settings,
) -> Iterator[Cloud]:
    """At the beginning of an hour."""
    cloud, source = server
    cloud.wait(seconds=3600 - cloud.clock.now() % 3600)
    monkeypatch.setitem(endpoints.built, "default", cloud.backend)
    settings.USAGE_SOURCES = {"cloudwatch": {}}
    monkeypatch.setitem(usage_sources.built, "cloudwatch", source)
    Endpoint.objects.update(created_at=cloud.now)
    yield cloud
    cloud.standin.faults = Faults()
    cloud.standin.hosting.metric_data.faults = MetricFaults()


Deploy = Callable[..., Deployment]


@pytest.fixture
def deploy(cloud: Cloud, endpoint: Endpoint, make_version: Callable[..., AdapterVersion]) -> Deploy:  # noqa: F811
    """Put a version of a tenant's adapter, made from a seed, into service at the cloud's time."""

    def put(tenant: Tenant, name: str = "legal", seed: int = 1) -> Deployment:
        version = make_version(tenant, name, seed, answers=None)
        with tenant_scope(tenant.id):
            deployment = hold_deployment(endpoint=endpoint, version=version)
            assert move(deployment, DeploymentState.IN_SERVICE)
            Deployment.objects.filter(id=deployment.id).update(created_at=cloud.now, in_service_at=cloud.now)
            deployment.refresh_from_db()
        return deployment

    return put


def rows() -> QuerySet[ObservedUsage]:
    """Every tenant's, the oldest first; for code inside `system_scope`."""
    return ObservedUsage.objects.order_by("hour", "component")


def counted() -> list[tuple[dt.datetime, int | None, int | None, float | None]]:
    """Hour, requests, 5XX errors and p95 of every row."""
    with system_scope():
        return list(rows().values_list("hour", "requests", "errors_5xx", "p95_ms"))
